// The two forms that need no account yet: sign in, and create the first administrator.
import { useState } from "react";
import { useSearchParams } from "react-router";
import { Eye, EyeOff } from "lucide-react";
import { post } from "./backend.js";
import { sameSitePath } from "./words.js";

const SHORTEST_PASSWORD = 10;

const FORMS = {
  "sign-in": {
    path: "/api/auth/sign-in",
    action: "Sign in",
    busy: "Signing in…",
    fields: [
      { name: "email", label: "E-mail", missing: "e-mail address", type: "email", autoComplete: "username" },
      { name: "password", label: "Password", type: "password", autoComplete: "current-password" },
    ],
  },
  setup: {
    path: "/api/auth/setup",
    action: "Create account",
    busy: "Creating the account…",
    fields: [
      { name: "name", label: "Name", type: "text", autoComplete: "name" },
      { name: "email", label: "E-mail", missing: "e-mail address", type: "email", autoComplete: "username" },
      {
        name: "password",
        label: "Password",
        type: "password",
        autoComplete: "new-password",
        help: `At least ${SHORTEST_PASSWORD} characters; a sentence is easy to remember.`,
      },
    ],
  },
};

/** What is wrong with a field before anything is sent; the server has the last word. */
function fieldProblem(field, value, kind) {
  if (!value.trim()) return `Enter your ${field.missing ?? field.label.toLowerCase()}.`;
  if (field.name === "email" && !/^\S+@\S+$/.test(value.trim())) return "This does not look like an e-mail address.";
  if (kind === "setup" && field.name === "password" && value.length < SHORTEST_PASSWORD) return `Use at least ${SHORTEST_PASSWORD} characters.`;
  return "";
}

function PasswordEye({ isShown, onToggle }) {
  const Icon = isShown ? EyeOff : Eye;
  return (
    <button type="button" className="icon-button small eye" aria-label={isShown ? "Hide the password" : "Show the password"} onClick={onToggle}>
      <Icon size={17} strokeWidth={1.75} aria-hidden="true" />
    </button>
  );
}

function Field({ field, value, problem, onChange, isFirst }) {
  const [isShown, setShown] = useState(false);
  const about = [problem && `${field.name}-problem`, field.help && `${field.name}-help`].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={field.name}>{field.label}</label>
      <div className="relative">
        <input
          id={field.name}
          name={field.name}
          type={isShown ? "text" : field.type}
          autoComplete={field.autoComplete}
          value={value}
          aria-invalid={!!problem}
          aria-describedby={about || undefined}
          autoFocus={isFirst}
          spellCheck={field.name === "name" ? undefined : false}
          autoCapitalize={field.name === "name" ? undefined : "none"}
          onChange={(event) => onChange(field.name, event.target.value)}
        />
        {field.type === "password" && <PasswordEye isShown={isShown} onToggle={() => setShown(!isShown)} />}
      </div>
      {problem && <p id={`${field.name}-problem`} className="field-problem">{problem}</p>}
      {field.help && !problem && <p id={`${field.name}-help`} className="field-help">{field.help}</p>}
    </div>
  );
}

function useAccountForm(kind) {
  const form = FORMS[kind];
  const [search] = useSearchParams();
  const [values, setValues] = useState(() => Object.fromEntries(form.fields.map((field) => [field.name, ""])));
  const [problems, setProblems] = useState({});
  const [isBusy, setBusy] = useState(false);
  const change = (name, value) => {
    setValues((before) => ({ ...before, [name]: value }));
    setProblems((before) => ({ ...before, [name]: "" }));
  };
  const submit = async () => {
    const found = Object.fromEntries(form.fields.map((field) => [field.name, fieldProblem(field, values[field.name], kind)]));
    setProblems(found);
    const first = form.fields.find((field) => found[field.name]);
    if (first) {
      document.getElementById(first.name)?.focus();
      return;
    }
    setBusy(true);
    const token = kind === "setup" ? { token: search.get("token") ?? "" } : {};
    const sentence = await post(form.path, { ...values, email: values.email.trim(), ...token });
    if (sentence) {
      setBusy(false);
      setProblems({ form: sentence });
    } else {
      location.assign(sameSitePath(search.get("next") ?? "/"));
    }
  };
  return { form, values, problems, isBusy, change, submit, hasToken: kind !== "setup" || !!search.get("token") };
}

export function AccountForm({ kind }) {
  const { form, values, problems, isBusy, change, submit, hasToken } = useAccountForm(kind);
  if (!hasToken) {
    return (
      <p className="form-problem">This page needs its one-time link. RxChat prints it where it was started, as long as there is no account.</p>
    );
  }
  return (
    <form
      noValidate
      className="account-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) submit();
      }}
    >
      {problems.form && <p role="alert" className="form-problem">{problems.form}</p>}
      {form.fields.map((field, at) => (
        <Field key={field.name} field={field} value={values[field.name]} problem={problems[field.name]} onChange={change} isFirst={at === 0} />
      ))}
      <button type="submit" className="button-main" aria-disabled={isBusy}>{isBusy ? form.busy : form.action}</button>
    </form>
  );
}
