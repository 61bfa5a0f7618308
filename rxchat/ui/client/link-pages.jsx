// A forgotten password, and the links that come by mail: each with a page for when the link is old.
import { useEffect, useState } from "react";
import { useLinkToken } from "./link-token.js";
import { CircleCheck, Link2Off, MailCheck, MailOpen, UserRoundCog } from "lucide-react";
import { ask } from "./backend.js";
import { CardHead, CardMessage, CardSkeleton } from "./card-parts.jsx";
import { FIELDS, Form, useForm } from "./form-parts.jsx";

const BackToSignIn = () => <p className="auth-card-link is-last"><a href="/sign-in">Back to sign-in</a></p>;
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
    const lead = <>If <b>{sent.email}</b> belongs to an account, we have sent a link to it. It works for one hour. Check your spam folder, too.</>;
    return <CardMessage icon={MailCheck} title="Check your inbox" lead={lead}><a href="/sign-in">Back to sign-in</a></CardMessage>;
  }
  if (sent) {
    const lead = "This RxChat cannot send e-mail. Ask your administrator for a link to choose a new password.";
    return <CardMessage icon={UserRoundCog} title="Ask your administrator" lead={lead}><a href="/sign-in">Back to sign-in</a></CardMessage>;
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
    const lead = "All sessions were signed out, and your API keys stopped working.";
    return <CardMessage icon={CircleCheck} tone="is-good" title="Password changed" lead={lead}><SignInButton /></CardMessage>;
  }
  if (state === "old") {
    const lead = "A password link works once, and expires. Request a new one; your current password still works.";
    return (
      <CardMessage icon={Link2Off} title="This link is no longer valid" lead={lead}>
        <a className="button-main wide" href="/forgot">Request a new link</a>
        <a href="/sign-in">Back to sign-in</a>
      </CardMessage>
    );
  }
  if (!isChecked) return <CardSkeleton label="Checking the link" />;
  return (
    <>
      <CardHead title="Choose a new password" lead="This signs out all sessions and revokes your API keys." />
      <Form form={form} action="Change password" busy="Changing…" />
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
    return <CardMessage icon={CircleCheck} tone="is-good" title="Your address is confirmed" lead="You can sign in now."><SignInButton /></CardMessage>;
  }
  if (state === "old") {
    const lead = "It was already used, or replaced by a newer one. Sign in with your password: if your address is not confirmed yet, we will send you a new link.";
    return (
      <CardMessage icon={Link2Off} title="This link is no longer valid" lead={lead}>
        <SignInButton />
      </CardMessage>
    );
  }
  if (!isChecked) return <CardSkeleton label="Checking the link" />;
  return (
    <div className="auth-card-message">
      <span className="auth-card-icon"><MailOpen size={22} strokeWidth={1.75} aria-hidden="true" /></span>
      <CardHead title="Confirm your address" lead="Confirm your address to finish creating your account." />
      <Form form={form} action="Confirm my address" busy="Confirming…" />
    </div>
  );
}
