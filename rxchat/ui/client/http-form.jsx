// Forms that are sent over HTTP: a websocket can set no cookie, and passwords do not belong on it.
import { useEffect, useLayoutEffect } from "react";
import { ask } from "./backend.js";
import { clientValue, setClientValue } from "./client-values.js";

/** The status of a form that was not sent yet; what Python reads as FormStatus (ui/kit/forms.py). */
export const IDLE = { busy: false, problem: "", code: "", wait: 0, fields: {}, data: null };
const status = (name) => clientValue(name) ?? IDLE;

/** What is wrong with a field, in its own words (data-missing, data-invalid, data-short, data-longest), or "". */
function fieldProblem(field) {
  // A group of checkboxes of which one has to be checked.
  if (field.tagName === "FIELDSET") return field.dataset.missing && !field.querySelector(":checked") ? field.dataset.missing : "";
  const { value, required, type, minLength, validity, validationMessage, dataset } = field;
  const text = value.trim();
  if (!text) return required ? (dataset.missing ?? validationMessage) : "";
  // Browsers refuse letters in addresses that the server accepts, and check the length only of what was typed by hand.
  if (type === "email" && !/^\S+@\S+$/.test(text)) return dataset.invalid;
  if (value.length < minLength) return dataset.short;
  if (value.length > Number(dataset.longest)) return `Use at most ${Number(dataset.longest).toLocaleString("en")} characters.`;
  return type === "email" || validity.valid ? "" : (dataset.invalid ?? validationMessage);
}

/** The problem of each invalid field; the first one is focused. */
function fieldProblems(form) {
  const problems = [...form.elements]
    .filter(({ name }) => name)
    .map((field) => [field, fieldProblem(field)])
    .filter(([, problem]) => problem);
  const first = problems[0]?.[0];
  (first?.tagName === "FIELDSET" ? first.querySelector("input") : first)?.focus();
  return Object.fromEntries(problems.map(([{ name }, problem]) => [name, problem]));
}

// A password that is shown is a field of text, and still none of its spaces may be removed.
const textOf = ({ autocomplete, value }) => (autocomplete?.endsWith("-password") ? value : value.trim());

/** {name: value}; a list of the checked values for checkboxes, null for an empty choice. */
function valuesOf(form) {
  const values = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || field.tagName === "FIELDSET") continue;
    if (field.type === "checkbox") values[field.name] = [...(values[field.name] ?? []), ...(field.checked ? [field.value] : [])];
    else if (field.type !== "radio" || field.checked) values[field.name] = field.tagName === "SELECT" ? field.value || null : textOf(field);
  }
  return values;
}

/** Count the seconds down until the server accepts another attempt. */
function countDown(name, until) {
  const wait = Math.max(0, Math.ceil((until - Date.now()) / 1000));
  setClientValue(name, { ...status(name), wait, problem: wait ? status(name).problem : "" });
  if (wait) setTimeout(() => countDown(name, until), 250);
}

/** Show an answer of `ask` as the status of the form. */
function show(name, { problem = "", code = "", wait = 0, data = null }, isLeaving = false) {
  setClientValue(name, { ...IDLE, problem, code, wait, data, busy: isLeaving && !problem });
  if (wait) countDown(name, Date.now() + wait * 1000);
}

/** Secrets are cleared when the server refused them; everything else stays. */
function retry(form, code) {
  const secret = code !== "unreachable" && form.querySelector("[type=password], [data-secret]");
  if (secret) Object.assign(secret, { value: "" });
  (secret || form.querySelector("input:not([type=hidden])"))?.focus();
}

/**
 * A form that posts its fields as JSON. Its status is the client value `name`. `extra` is sent, too; `leaves` says that the
 * page is left afterwards, so that it stays busy; `problem` is an error from before; `perform` sends it in another way.
 */
export function HttpForm({ name, action, extra = {}, leaves = false, problem = "", perform, onDone, children, ...rest }) {
  // It is kept when the form is gone, so that what follows the form can be drawn from it.
  useLayoutEffect(() => setClientValue(name, { ...IDLE, problem }), [name]);
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    if (status(name).busy || status(name).wait) return;
    const fields = fieldProblems(form);
    const isValid = !Object.keys(fields).length;
    setClientValue(name, { ...IDLE, fields, busy: isValid });
    if (!isValid) return;
    const values = { ...extra, ...valuesOf(form) };
    const answer = perform ? await perform(values) : await ask("POST", action, values);
    show(name, answer, leaves);
    if (answer.problem) retry(form, answer.code);
    else onDone?.(answer.data ?? {});
  };
  const forget = ({ target }) => {
    const { fields } = status(name);
    if (fields[target.name]) setClientValue(name, { ...status(name), fields: { ...fields, [target.name]: "" } });
  };
  return (
    <form noValidate className="form" onSubmit={submit} onInput={forget} {...rest}>
      {children}
    </form>
  );
}

/** Make a request without a form, with its status under `name`; `onDone` gets the answer. */
export async function request(name, path, body, onDone, perform) {
  if (status(name).busy || status(name).wait) return;
  setClientValue(name, { ...IDLE, busy: true });
  const answer = perform ? await perform(body) : await ask(body ? "POST" : "GET", path, body);
  show(name, answer);
  if (!answer.problem) onDone?.(answer.data ?? {});
}

/** Make a request when the page is drawn. */
export function HttpRequest({ name, path, body, onDone }) {
  useEffect(() => {
    request(name, path, body, onDone);
    return () => setClientValue(name, IDLE);
  }, [name]);
  return null;
}
