// Signing in: a password, a passkey or an account elsewhere, and the second step where there is one.
import { useEffect, useState } from "react";
import { useSearchParams } from "react-router";
import { FingerprintPattern } from "lucide-react";
import { problemWords } from "./account-words.js";
import { ask } from "./backend.js";
import { CardHead, Or, Providers, useOffer } from "./card-parts.jsx";
import { FIELDS, Form, useForm } from "./form-parts.jsx";
import { hasPasskeys, passkeyProblem, usePasskey as showPasskey } from "./webauthn.js";
import { sameSitePath } from "./words.js";

const CODES = {
  app: {
    field: { name: "code", id: "code", label: "Code", missing: "code", type: "text", isCode: true, autoComplete: "one-time-code", inputMode: "numeric", maxLength: 10, className: "code-input" },
    lead: "Enter the six-digit code from your authenticator app.",
    other: "Use a recovery code instead",
  },
  recovery: {
    field: { name: "code", id: "recovery-code", label: "Recovery code", type: "text", isCode: true, autoComplete: "off", maxLength: 40, className: "code-input is-long" },
    lead: "Enter one of your recovery codes. Each works once.",
    other: "Use your authenticator app instead",
  },
};

/** Sign in with a passkey; gives an answer as `ask` does. */
async function passkey(isSecondStep) {
  // By itself a passkey says who it belongs to: a first step of somebody else's must not narrow it down.
  if (!isSecondStep) await ask("POST", "/api/auth/start-over", {});
  const asked = await ask("POST", "/api/auth/passkey/begin", {});
  if (asked.problem) return asked;
  try {
    return await ask("POST", "/api/auth/passkey", { credential: await showPasskey(asked.data) });
  } catch (error) {
    return { problem: passkeyProblem(error) };
  }
}

function PasskeyButton({ label, isSecondStep, onAnswer, form }) {
  const [isBusy, setBusy] = useState(false);
  if (!hasPasskeys()) return null;
  const press = async () => {
    if (isBusy) return;
    setBusy(true);
    form.fail({});
    const answer = await passkey(isSecondStep);
    setBusy(false);
    if (answer.problem) form.fail(answer);
    else onAnswer(answer);
  };
  return (
    <button type="button" className="button-quiet wide" disabled={form.left > 0} aria-disabled={isBusy || undefined} onClick={press}>
      <FingerprintPattern size={17} strokeWidth={1.75} aria-hidden="true" /> {label}
    </button>
  );
}

/** Why a browser that was signed in is not any more: the server names the reason, the words are ours. */
const ENDED = {
  administrator: "You were signed out by an administrator.",
  deletion: "You were signed out because this account is scheduled for deletion. You can sign in until then.",
  elsewhere: "You signed out this session from another device.",
  password: "You were signed out because the password of this account was changed.",
  factor: "You were signed out because a second factor was added to this account.",
  expired: "You were signed out because you were inactive.",
};

function FirstStep({ onAnswer, offer, next, problem }) {
  const send = async ({ email, password }) => onAnswer(await ask("POST", "/api/auth/sign-in", { email: email.trim(), password }));
  const form = useForm([FIELDS.email, FIELDS.password], send, { problem });
  const hasOthers = hasPasskeys() || !!offer?.providers.length;
  return (
    <>
      <CardHead title="Sign in to RxChat" lead="Your team's private AI chat." />
      {ENDED[offer?.ended] && <p role="status" className="auth-card-notice">{ENDED[offer.ended]}</p>}
      <Form form={form} action="Sign in" busy="Signing in…" />
      <p className="auth-card-link"><a href="/forgot">Forgot your password?</a></p>
      {hasOthers && (
        <div className="other-ways">
          <Or />
          <Providers offer={offer} next={next} />
          <PasskeyButton label="Sign in with a passkey" form={form} onAnswer={onAnswer} />
        </div>
      )}
      {offer?.registration === "open" && <p className="auth-card-link is-last">New here? <a href="/register">Create an account</a></p>}
    </>
  );
}

function CodeForm({ kind, onAnswer, onSwitch, onStartOver }) {
  const { field, lead, other } = CODES[kind];
  const send = async ({ code }) => onAnswer(await ask("POST", "/api/auth/second-factor", { code: code.trim() }));
  const form = useForm([field], send);
  return (
    <>
      <CardHead title="One more step" lead={lead} />
      <Form form={form} action="Continue" busy="Checking…" />
      <div className="other-ways">
        <Or />
        <PasskeyButton label="Use a passkey" isSecondStep form={form} onAnswer={onAnswer} />
        <button type="button" className="button-quiet wide" onClick={onSwitch}>{other}</button>
      </div>
      <p className="auth-card-link is-last"><button type="button" className="link-button" onClick={onStartOver}>Use another account</button></p>
    </>
  );
}

export function SignIn() {
  const [search] = useSearchParams();
  const [step, setStep] = useState(search.get("step") === "second-factor" ? "app" : "password");
  const [problem, setProblem] = useState(problemWords(search.get("problem")));
  const next = sameSitePath(search.get("next") ?? "/");
  const offer = useOffer();
  useEffect(() => {
    // A tab that was open while the session got a new cookie was led here, and need not stay.
    // The first step was taken before the page was loaded again.
    if (offer?.step === "second-factor" && !search.get("problem")) setStep((now) => (now === "password" ? "app" : now));
    if (offer?.is_signed_in && !search.get("step") && !search.get("problem")) location.replace(next);
  }, [offer]);
  const take = (answer) => {
    if (answer.problem) return answer;
    if (answer.data.next === "second-factor") {
      setStep("app");
      return {};
    }
    location.assign(next);
    return { isLeaving: true };
  };
  const startOver = async () => {
    const answer = await ask("POST", "/api/auth/start-over", {});
    setProblem(answer.problem ?? "");
    setStep("password");
  };
  if (step === "password") return <FirstStep onAnswer={take} offer={offer} next={next} problem={problem} />;
  const onSwitch = () => setStep(step === "app" ? "recovery" : "app");
  return <CodeForm key={step} kind={step} onAnswer={take} onSwitch={onSwitch} onStartOver={startOver} />;
}
