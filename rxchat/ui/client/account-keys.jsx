// API keys: what programs may do in one's name.
import { useState } from "react";
import { KeyRound, Plus } from "lucide-react";
import { ago, expiryWords } from "./account-words.js";
import { ask } from "./backend.js";
import { CopyButton } from "./copy.jsx";
import { ConfirmDialog, Dialog, DialogActions, PROOF } from "./dialog.jsx";
import { FormField, FormFrame, useForm } from "./form-parts.jsx";
import { Empty, Panel, Row, Rows } from "./panel.jsx";

const NAME = { name: "name", id: "key-name", label: "Name", missing: "name for the key", type: "text", maxLength: 100, help: "A name that tells you later what the key is for." };
const LIFETIMES = [["30", "30 days"], ["90", "90 days"], ["365", "One year"], ["", "Never"]];

function Scopes({ scopes, chosen, problem, onToggle }) {
  return (
    <fieldset className="field choices" aria-describedby={problem ? "scopes-problem" : undefined}>
      <legend>Permissions</legend>
      {scopes.map(({ name, words }) => (
        <label key={name} className="choice">
          <input type="checkbox" checked={chosen.includes(name)} onChange={() => onToggle(name)} />
          <span>{words}</span>
        </label>
      ))}
      {problem && <p id="scopes-problem" className="field-problem">{problem}</p>}
    </fieldset>
  );
}

function NewKey({ scopes, hasPassword, onMade, onClose }) {
  const [chosen, setChosen] = useState(scopes.filter(({ name }) => name === "read" || name === "chat").map(({ name }) => name));
  const [days, setDays] = useState("90");
  const form = useForm([NAME, ...(hasPassword ? [PROOF] : [])], async ({ name, password = "" }) => {
    if (!chosen.length) return {};
    const answer = await ask("POST", "/api/me/keys", { name, password, scopes: chosen, days: days ? Number(days) : null });
    if (!answer.problem) onMade(answer.data);
    return answer;
  });
  const toggle = (name) => setChosen(chosen.includes(name) ? chosen.filter((item) => item !== name) : [...chosen, name]);
  return (
    <Dialog title="New API key" onClose={onClose}>
      <FormFrame form={form}>
        <FormField form={form} name="name" isFirst />
        <Scopes scopes={scopes} chosen={chosen} problem={chosen.length ? "" : "Choose at least one."} onToggle={toggle} />
        <div className="field">
          <label htmlFor="key-days">Expires after</label>
          <select id="key-days" className="select" value={days} onChange={(event) => setDays(event.target.value)}>
            {LIFETIMES.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
          </select>
        </div>
        {hasPassword && <FormField form={form} name="password" />}
        <DialogActions form={form} action="Create key" busy="Creating…" onClose={onClose} />
      </FormFrame>
    </Dialog>
  );
}

function ShownOnce({ made, onClose }) {
  return (
    <Dialog title={`Your key “${made.name}”`} onClose={onClose}>
      <p className="dialog-lead">Copy it now and store it like a password. It will not be shown again.</p>
      <div className="secret">
        <code tabIndex={0} data-autofocus aria-label="The key">{made.key}</code>
        <CopyButton text={made.key} label="Copy key" withWord className="button-quiet" />
      </div>
      <p className="field-help">Programs send it as <code>Authorization: Bearer …</code></p>
      <div className="dialog-actions"><button type="button" className="button-main" onClick={onClose}>I’ve copied it</button></div>
    </Dialog>
  );
}

function KeyRow({ item, words, now, onRevoke }) {
  const used = item.used_at ? `last used ${ago(item.used_at, now)}` : "not used yet";
  const isOver = item.expires_at && item.expires_at <= now;
  return (
    <Row
      icon={KeyRound}
      title={item.name}
      chip={isOver ? "Expired" : undefined}
      detail={
        <>
          <code>{item.prefix}…</code> · {expiryWords(item.expires_at, now)} · {used}
          <span className="item-scopes">{item.scopes.map((scope) => words[scope] ?? scope).join(" · ")}</span>
        </>
      }
    >
      <button type="button" className="button-quiet" aria-label={`Revoke ${item.name}`} onClick={onRevoke}>Revoke</button>
    </Row>
  );
}

export function KeysSection({ account, events }) {
  const { keys, scopes, profile, mayCreateKeys } = account;
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  const made = (key) => {
    setDialog({ made: key });
    events.onReload();
  };
  const words = Object.fromEntries(scopes.map((scope) => [scope.name, scope.words]));
  const create = mayCreateKeys && (
    <button type="button" className="button-quiet" onClick={() => setDialog({ isNew: true })}><Plus size={15} aria-hidden="true" /> New key</button>
  );
  return (
    <Panel title="API keys" lead="Keys let programs act on your behalf, within the limits you set." action={keys.length > 0 && create}>
      {keys.length > 0 ? (
        <Rows label="API keys">
          {keys.map((item) => <KeyRow key={item.id} item={item} words={words} now={Date.now()} onRevoke={() => setDialog({ revoke: item })} />)}
        </Rows>
      ) : (
        <Empty icon={KeyRound}>
          {mayCreateKeys ? "No API keys yet. Create one for a script, an editor or another program." : "Your role cannot create API keys. Ask an administrator if you need one."}
          {create}
        </Empty>
      )}
      {dialog?.isNew && <NewKey scopes={scopes} hasPassword={profile.has_password} onMade={made} onClose={close} />}
      {dialog?.made && <ShownOnce made={dialog.made} onClose={close} />}
      {dialog?.revoke && (
        <ConfirmDialog
          title={`Revoke “${dialog.revoke.name}”?`}
          lead="Programs that use this key stop working immediately. You cannot undo this."
          action="Revoke key"
          isDanger
          onConfirm={() => events.onRevoke(dialog.revoke.id)}
          onClose={close}
        />
      )}
    </Panel>
  );
}
