// A forgotten password, and the links that come by mail: each with a page for when the link is old.
import { useEffect, useState } from "react";
import { useLinkToken } from "./link-token.js";
import { CircleCheck, Link2Off, MailCheck, MailOpen, UserRoundCog } from "lucide-react";
import { ask } from "./backend.js";
import { CardHead, CardMessage, CardSkeleton } from "./card-parts.jsx";
import { FIELDS, Form, useForm } from "./form-parts.jsx";

const BackToSignIn = () => <p className="card-link is-last"><a href="/sign-in">Back to signing in</a></p>;
const SignInButton = () => <a className="button-main wide" href="/sign-in">Sign in</a>;

export function Forgot() {
  const [sent, setSent] = useState(null);
  const send = async ({ email }) => {
    const answer = await ask("POST", "/api/auth/forgot", { email: email.trim() });
    if (answer.data) setSent({ email: email.trim(), next: answer.data.next });
    return answer;
  };
  const form = useForm([FIELDS.email], send);
  if (sent?.next === "mail") {
    const lead = <>If <b>{sent.email}</b> has an account here, a link is on its way to it. It works for one hour. Look into the spam folder, too.</>;
    return <CardMessage icon={MailCheck} title="Check your mail" lead={lead}><a href="/sign-in">Back to signing in</a></CardMessage>;
  }
  if (sent) {
    const lead = "RxChat cannot send mail here. Ask your administrator for a link with which you choose a new password.";
    return <CardMessage icon={UserRoundCog} title="Ask your administrator" lead={lead}><a href="/sign-in">Back to signing in</a></CardMessage>;
  }
  return (
    <>
      <CardHead title="Forgot your password?" lead="Enter your e-mail address and we’ll send you a link to choose a new password." />
      <Form form={form} action="Send me a link" busy="Sending…" />
      <BackToSignIn />
    </>
  );
}

/** Ask whether a link works before its form is filled in; when that cannot be told, the form itself finds out. */
export function useLinkCheck(kind, token, onOld) {
  const [isChecked, setChecked] = useState(!token);
  useEffect(() => {
    if (!token) return;
    ask("POST", "/api/auth/link", { kind, token }).then(({ code }) => {
      if (code === "not_allowed") onOld();
      setChecked(true);
    });
  }, []);
  return isChecked;
}

const NEW_PASSWORD = { ...FIELDS.newPassword, label: "New password" };

export function Reset() {
  const token = useLinkToken();
  const [state, setState] = useState(token ? "asking" : "old");
  const send = async ({ password }) => {
    const answer = await ask("POST", "/api/auth/reset", { token, password });
    if (answer.data) setState("done");
    if (answer.code === "not_allowed") setState("old");
    return answer;
  };
  const form = useForm([NEW_PASSWORD], send);
  const isChecked = useLinkCheck("reset", token, () => setState("old"));
  if (state === "done") {
    const lead = "Everything that was signed in with the old one has been signed out, and API keys do not work any more.";
    return <CardMessage icon={CircleCheck} tone="is-good" title="Your password is changed" lead={lead}><SignInButton /></CardMessage>;
  }
  if (state === "old") {
    const lead = "A link for a new password works once, and only for a while. Ask for a new one; your present password still works.";
    return (
      <CardMessage icon={Link2Off} title="This link is no longer valid" lead={lead}>
        <a className="button-main wide" href="/forgot">Ask for a new link</a>
        <a href="/sign-in">Back to signing in</a>
      </CardMessage>
    );
  }
  if (!isChecked) return <CardSkeleton label="Looking at the link" />;
  return (
    <>
      <CardHead title="Choose a new password" lead="Everything that is signed in with the old one gets signed out, API keys included." />
      <Form form={form} action="Change the password" busy="Changing…" />
      <BackToSignIn />
    </>
  );
}

export function Confirm() {
  const token = useLinkToken();
  const [state, setState] = useState(token ? "asking" : "old");
  const send = async () => {
    const answer = await ask("POST", "/api/auth/confirm", { token });
    if (answer.data) setState("done");
    if (answer.code === "not_allowed") setState("old");
    return answer;
  };
  const form = useForm([], send);
  const isChecked = useLinkCheck("confirmation", token, () => setState("old"));
  if (state === "done") {
    return <CardMessage icon={CircleCheck} tone="is-good" title="Your address is confirmed" lead="Thank you. You can sign in now."><SignInButton /></CardMessage>;
  }
  if (state === "old") {
    const lead = "It was used before, or there is a newer one. Sign in with your password: if your address still has to be confirmed, we send you a new link.";
    return (
      <CardMessage icon={Link2Off} title="This link is no longer valid" lead={lead}>
        <SignInButton />
      </CardMessage>
    );
  }
  if (!isChecked) return <CardSkeleton label="Looking at the link" />;
  return (
    <div className="card-message">
      <span className="card-icon"><MailOpen size={22} strokeWidth={1.75} aria-hidden="true" /></span>
      <CardHead title="Confirm your address" lead="One press, and your account is ready." />
      <Form form={form} action="Confirm my address" busy="Confirming…" />
    </div>
  );
}
