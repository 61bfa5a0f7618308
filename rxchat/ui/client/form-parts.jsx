// What every form about an account is made of: fields, their problems, waits, and the button.
import { useEffect, useRef, useState } from "react";
import { Eye, EyeOff, TriangleAlert } from "lucide-react";
import { waitWords } from "./words.js";
import "./composition.js";

export const SHORTEST_PASSWORD = 10;
export const NEW_PASSWORD_HELP = `At least ${SHORTEST_PASSWORD} characters; a sentence is easy to remember.`;

export const FIELDS = {
  name: { name: "name", label: "Name", type: "text", autoComplete: "name" },
  email: { name: "email", label: "E-mail", missing: "e-mail address", type: "email", autoComplete: "username" },
  password: { name: "password", label: "Password", type: "password", autoComplete: "current-password" },
  newPassword: { name: "password", label: "Password", type: "password", autoComplete: "new-password", help: NEW_PASSWORD_HELP, isNew: true },
};

/** What is wrong with a field before anything is sent; the server has the last word. */
function fieldProblem(field, value) {
  if (!value.trim()) return field.isOptional ? "" : `Enter ${field.missing ? `your ${field.missing}` : `your ${field.label.toLowerCase()}`}.`;
  if (field.type === "email" && !/^\S+@\S+$/.test(value.trim())) return "This is not a valid e-mail address.";
  if (field.isNew && value.length < SHORTEST_PASSWORD) return `Use at least ${SHORTEST_PASSWORD} characters.`;
  return "";
}

function PasswordEye({ isShown, label, onToggle }) {
  const Icon = isShown ? EyeOff : Eye;
  const what = label.toLowerCase().replace(/^your /, "");
  return (
    <button type="button" className="icon-button small eye" aria-label={isShown ? `Hide the ${what}` : `Show the ${what}`} onClick={onToggle}>
      <Icon size={17} strokeWidth={1.75} aria-hidden="true" />
    </button>
  );
}

/** One labelled input with its help, or what is wrong with it. `field.id` where a page has two of a name. */
export function Field({ field, value, problem, onChange, isFirst, isDisabled }) {
  const [isShown, setShown] = useState(false);
  const id = field.id ?? field.name;
  const about = [problem && `${id}-problem`, field.help && `${id}-help`].filter(Boolean).join(" ");
  const isWords = field.type === "text" && !field.isCode;
  return (
    <div className="field">
      <label htmlFor={id}>{field.label}</label>
      <div className="relative">
        <input
          id={id}
          name={field.name}
          type={isShown ? "text" : field.type}
          autoComplete={field.autoComplete ?? "off"}
          inputMode={field.inputMode}
          maxLength={field.maxLength}
          className={field.className}
          value={value}
          disabled={isDisabled}
          aria-invalid={!!problem}
          aria-describedby={about || undefined}
          autoFocus={isFirst}
          data-autofocus={isFirst || undefined}
          spellCheck={isWords ? undefined : false}
          autoCapitalize={isWords ? undefined : "none"}
          onChange={(event) => onChange(field.name, event.target.value)}
        />
        {field.type === "password" && <PasswordEye isShown={isShown} label={field.label} onToggle={() => setShown(!isShown)} />}
      </div>
      {problem && <p id={`${id}-problem`} className="field-problem">{problem}</p>}
      {field.help && !problem && <p id={`${id}-help`} className="field-help">{field.help}</p>}
    </div>
  );
}

/** The seconds that are left of a wait, counted down. */
export function useWait() {
  const [until, setUntil] = useState(0);
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (!until) return undefined;
    const tick = () => {
      const seconds = Math.ceil((until - Date.now()) / 1000);
      setLeft(Math.max(0, seconds));
      if (seconds <= 0) setUntil(0);
    };
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [until]);
  const begin = (seconds) => {
    setLeft(seconds);
    setUntil(seconds > 0 ? Date.now() + seconds * 1000 : 0);
  };
  return { left, begin };
}

/**
 * A form: what was typed, what is wrong, whether it is on its way. `send(values)` gives an answer of `ask`; what was
 * typed stays after an error, except what must not be shown again (passwords and codes).
 */
export function useForm(fields, send, { prefilled = {}, problem = "" } = {}) {
  const [values, setValues] = useState(() => Object.fromEntries(fields.map((field) => [field.name, prefilled[field.name] ?? ""])));
  const [problems, setProblems] = useState({ form: problem });
  const [isBusy, setBusy] = useState(false);
  const { left, begin } = useWait();
  const wasWaiting = useRef(false);
  useEffect(() => {
    // The wait is over, and so is what was said about it.
    if (wasWaiting.current && !left) setProblems((before) => ({ ...before, form: "" }));
    wasWaiting.current = left > 0;
  }, [left > 0]);
  const focus = (field) => document.getElementById(field?.id ?? field?.name)?.focus();
  const change = (name, value) => {
    setValues((before) => ({ ...before, [name]: value }));
    setProblems((before) => ({ ...before, [name]: "" }));
  };
  const fail = ({ problem: form = "", wait = 0 }) => {
    setProblems({ form });
    begin(wait);
  };
  const submit = async () => {
    if (isBusy || left > 0) return;
    const found = Object.fromEntries(fields.map((field) => [field.name, fieldProblem(field, values[field.name])]));
    setProblems(found);
    const wrong = fields.find((field) => found[field.name]);
    if (wrong) {
      focus(wrong);
      return;
    }
    setBusy(true);
    const answer = await send(values);
    if (!answer?.problem) {
      if (!answer?.isLeaving) setBusy(false);
      return;
    }
    setBusy(false);
    fail(answer);
    const secret = fields.find((field) => field.type === "password" || field.isCode);
    if (secret && answer.code !== "unreachable") {
      setValues((before) => ({ ...before, [secret.name]: "" }));
      focus(secret);
    }
  };
  return { fields, values, problems, isBusy, left, change, submit, fail };
}

export function Problem({ children }) {
  if (!children) return null;
  return (
    <p role="alert" className="form-problem">
      <TriangleAlert size={16} strokeWidth={1.75} aria-hidden="true" />
      <span>{children}</span>
    </p>
  );
}

/** The button that sends; while one has to wait it says for how long, and is disabled. */
export function Submit({ form, action, busy, className = "button-main", isDanger }) {
  const words = form.left > 0 ? `Try again in ${waitWords(form.left)}` : form.isBusy ? busy : action;
  return (
    <button type="submit" className={`${className}${isDanger ? " is-danger" : ""}`} disabled={form.left > 0} aria-disabled={form.isBusy || undefined}>
      {words}
    </button>
  );
}

/** A form's frame: Enter sends, and what went wrong stands on top. */
export function FormFrame({ form, children }) {
  return (
    <form
      noValidate
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        form.submit();
      }}
    >
      <Problem>{form.problems.form}</Problem>
      {children}
    </form>
  );
}

/** The field of this name, with what was typed and what is wrong with it. */
export function FormField({ form, name, isFirst }) {
  const field = form.fields.find((item) => item.name === name);
  return <Field field={field} value={form.values[name]} problem={form.problems[name]} onChange={form.change} isFirst={isFirst} />;
}

/** A whole form: its problem, its fields, its button. */
export function Form({ form, action, busy, isDanger, autoFocus = true, before, footer }) {
  return (
    <FormFrame form={form}>
      {before}
      {form.fields.map((field, at) => <FormField key={field.name} form={form} name={field.name} isFirst={autoFocus && at === 0} />)}
      {footer ?? <Submit form={form} action={action} busy={busy} isDanger={isDanger} />}
    </FormFrame>
  );
}
