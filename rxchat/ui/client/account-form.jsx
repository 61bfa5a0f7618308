// How accounts come about: the first administrator, by oneself where that is open, or by an invitation.
import { useEffect, useState } from "react";
import { useLinkToken } from "./link-token.js";
import { CircleCheck, DoorClosed, Link2Off, MailCheck } from "lucide-react";
import { ask } from "./backend.js";
import { CardHead, CardMessage, CardSkeleton, InvitedProviders, Or, Providers, useOffer } from "./card-parts.jsx";
import { FIELDS, Form, Problem, useForm } from "./form-parts.jsx";
import { useLinkCheck } from "./link-pages.jsx";

const { name: NAME, email: EMAIL, newPassword: PASSWORD } = FIELDS;

function enter(answer) {
  if (answer.problem) return answer;
  location.assign("/");
  return { isLeaving: true };
}

export function SetUp() {
  const token = useLinkToken();
  const [isOld, setOld] = useState(false);
  const send = async (values) => enter(await ask("POST", "/api/auth/setup", { ...values, email: values.email.trim(), token }));
  const form = useForm([NAME, EMAIL, PASSWORD], send);
  const isChecked = useLinkCheck("setup", token, () => setOld(true));
  if (!isChecked) return <CardSkeleton label="Checking the link" />;
  if (isOld) {
    const lead = "It works for 24 hours, until the first account is created. Sign in, or restart RxChat for a new link.";
    return <CardMessage icon={Link2Off} title="This link is no longer valid" lead={lead}><SignInLink /></CardMessage>;
  }
  return (
    <>
      <CardHead title="Welcome to RxChat" lead="Create the first account. It will be the administrator." />
      {token ? (
        <Form form={form} action="Create account" busy="Creating the account…" />
      ) : (
        <Problem>This page needs the one-time link that RxChat prints when it starts without accounts.</Problem>
      )}
    </>
  );
}

const SignInLink = ({ children = "Sign in", isMain = true }) => <a className={isMain ? "button-main wide" : ""} href="/sign-in">{children}</a>;

function RegisterForm({ offer, onDone }) {
  const send = async (values) => {
    const email = values.email.trim();
    const answer = await ask("POST", "/api/auth/register", { ...values, email });
    if (answer.problem) return answer;
    if (answer.data.next === "in") return enter(answer);
    onDone({ email, next: answer.data.next });
    return answer;
  };
  const form = useForm([NAME, EMAIL, PASSWORD], send);
  return (
    <>
      <CardHead title="Create your account" lead="For your team's private AI chat." />
      <Form form={form} action="Create account" busy="Creating the account…" />
      {offer.providers.length > 0 && (
        <div className="other-ways"><Or /><Providers offer={offer} next="/" /></div>
      )}
      <p className="auth-card-link is-last">Already have an account? <SignInLink isMain={false} /></p>
    </>
  );
}

export function Register() {
  const offer = useOffer();
  const [done, setDone] = useState(null);
  if (!offer) return <CardSkeleton label="Loading" />;
  if (done?.next === "mail") {
    const lead = <>We sent a link to <b>{done.email}</b>. Open it within 3 days to confirm your address.</>;
    return <CardMessage icon={MailCheck} title="Check your inbox" lead={lead}><SignInLink isMain={false}>Back to sign-in</SignInLink></CardMessage>;
  }
  if (done) {
    return <CardMessage icon={CircleCheck} title="One more step" lead="Sign in to continue."><SignInLink /></CardMessage>;
  }
  if (offer.registration !== "open") {
    const lead = offer.registration === "closed" ? "New accounts cannot be created at the moment." : "Accounts are created by invitation. Ask an administrator for one.";
    return <CardMessage icon={DoorClosed} title="You need an invitation" lead={lead}><SignInLink>Back to sign-in</SignInLink></CardMessage>;
  }
  return <RegisterForm offer={offer} onDone={setDone} />;
}

function JoinForm({ token, email, onOld }) {
  const offer = useOffer();
  const send = async ({ name, password }) => {
    const answer = await ask("POST", "/api/auth/join", { token, name, password });
    if (answer.code === "not_allowed") onOld();
    return enter(answer);
  };
  const form = useForm([NAME, PASSWORD], send);
  const invited = (
    <div className="field">
      <label htmlFor="email">E-mail</label>
      <input id="email" name="email" type="email" autoComplete="username" value={email} readOnly />
    </div>
  );
  return (
    <>
      <CardHead title="You are invited" lead="Create your account for your team's private AI chat." />
      <Form form={form} action="Create account" busy="Creating the account…" before={invited} />
      {offer?.providers.length > 0 && (
        <div className="other-ways"><Or /><InvitedProviders offer={offer} /></div>
      )}
    </>
  );
}

export function Join() {
  const token = useLinkToken();
  const [found, setFound] = useState(token ? null : { isOld: true });
  const look = () =>
    ask("POST", "/api/auth/invitation", { token }).then((answer) => {
      if (answer.data) setFound({ email: answer.data.email });
      else setFound(answer.code === "not_allowed" ? { isOld: true } : { problem: answer.problem });
    });
  useEffect(() => {
    if (token) look();
  }, []);
  if (!found) return <CardSkeleton label="Checking the invitation" />;
  if (found.email) return <JoinForm token={token} email={found.email} onOld={() => setFound({ isOld: true })} />;
  if (found.isOld) {
    const lead = "An invitation works once, within seven days. If you already have an account, sign in. Otherwise ask the person who invited you for a new link.";
    return <CardMessage icon={Link2Off} title="This invitation is no longer valid" lead={lead}><SignInLink /></CardMessage>;
  }
  return (
    <>
      <CardHead title="You are invited" />
      <Problem>{found.problem}</Problem>
      <div className="auth-card-actions"><button type="button" className="button-main wide" onClick={look}>Try again</button></div>
    </>
  );
}
