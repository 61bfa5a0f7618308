// How one signs in: password, passkeys, accounts elsewhere, and the second step.
import { useState } from "react";
import { Check, FingerprintPattern, Plus } from "lucide-react";
import { day, deviceWords } from "./account-words.js";
import { ask } from "./backend.js";
import { ProviderMark, leaveFor } from "./card-parts.jsx";
import { ProofDialog } from "./dialog.jsx";
import { FIELDS, Form, NEW_PASSWORD_HELP, Problem, Submit, useForm } from "./form-parts.jsx";
import { Panel, Row, Rows } from "./panel.jsx";
import { SecondFactorPanel } from "./second-factor.jsx";
import { createPasskey, hasPasskeys, passkeyProblem } from "./webauthn.js";

const PRESENT = { name: "present", label: "Current password", type: "password", autoComplete: "current-password" };
const WANTED = { name: "wanted", label: "New password", type: "password", autoComplete: "new-password", isNew: true, help: NEW_PASSWORD_HELP };

function PasswordForm({ hasPassword, email, onDone, onCancel }) {
  const send = async ({ present = "", wanted }) => {
    const answer = await ask("POST", "/api/me/password", { present, wanted });
    if (!answer.problem) onDone();
    return answer;
  };
  const form = useForm(hasPassword ? [PRESENT, WANTED] : [WANTED], send);
  const footer = (
    <div className="form-actions">
      <Submit form={form} action={hasPassword ? "Change password" : "Set password"} busy="One moment…" />
      <button type="button" className="button-quiet" onClick={onCancel}>Cancel</button>
    </div>
  );
  // For password managers, which want to know whose password it is.
  const whose = <input type="email" name="email" autoComplete="username" value={email} readOnly hidden />;
  return <div className="inline-form"><Form form={form} before={whose} footer={footer} /></div>;
}

function PasswordPanel({ profile, events }) {
  const [isOpen, setOpen] = useState(false);
  const [isDone, setDone] = useState(false);
  const done = () => {
    setOpen(false);
    setDone(true);
    events.onReload();
  };
  const verb = profile.has_password ? "Change" : "Set";
  const open = () => {
    setDone(false);
    setOpen(true);
  };
  const lead = profile.has_password
    ? "Changing it signs out all other devices, and your API keys stop working."
    : "You have no password: you sign in with a passkey or an external account. You can also set a password.";
  return (
    <Panel title="Password" lead={lead} action={!isOpen && <button type="button" className="button-quiet" onClick={open}>{verb} password</button>}>
      <p className="saved" role="status">{isDone && <><Check size={15} aria-hidden="true" /> Password changed. All other devices were signed out.</>}</p>
      {isOpen && <PasswordForm hasPassword={profile.has_password} email={profile.email} onDone={done} onCancel={() => setOpen(false)} />}
    </Panel>
  );
}

const PASSKEY_NAME = { name: "name", id: "passkey-name", label: "Name", missing: "name for it", type: "text", maxLength: 60, help: "A name that tells you later which device it is." };

async function addPasskey({ name, password = "" }) {
  const asked = await ask("POST", "/api/me/passkeys/begin", { password });
  if (asked.problem) return asked;
  try {
    return await ask("POST", "/api/me/passkeys", { name, credential: await createPasskey(asked.data) });
  } catch (error) {
    return { problem: passkeyProblem(error) };
  }
}

function PasskeysPanel({ account: { passkeys, profile }, events }) {
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  const done = () => {
    close();
    events.onReload();
  };
  const isPossible = hasPasskeys();
  const add = isPossible && (
    <button type="button" className="button-quiet" onClick={() => setDialog({ isNew: true })}><Plus size={15} aria-hidden="true" /> Add a passkey</button>
  );
  return (
    <Panel title="Passkeys" lead="Sign in with your fingerprint, your face or your device's PIN, without a password." action={add}>
      {!isPossible && <p className="panel-note">Passkeys need https and a host name; they do not work with an IP address.</p>}
      {passkeys.length > 0 && (
        <Rows label="Passkeys">
          {passkeys.map((item) => (
            <Row key={item.id} icon={FingerprintPattern} title={item.name}>
              <button type="button" className="button-quiet" aria-label={`Remove the passkey ${item.name}`} onClick={() => setDialog({ remove: item })}>Remove</button>
            </Row>
          ))}
        </Rows>
      )}
      {dialog?.isNew && (
        <ProofDialog title="Add a passkey" lead="Your browser will ask where to store it." fields={[PASSKEY_NAME]} prefilled={{ name: deviceWords(navigator.userAgent) }} hasPassword={profile.has_password} action="Continue" busy="Waiting for your browser…" send={addPasskey} onDone={done} onClose={close} />
      )}
      {dialog?.remove && (
        <ProofDialog title={`Remove “${dialog.remove.name}”?`} lead="You will no longer be able to sign in with this passkey. Your device may still list it; you can delete it there." hasPassword={profile.has_password} action="Remove passkey" isDanger send={({ password = "" }) => ask("POST", `/api/me/passkeys/${dialog.remove.id}/remove`, { password })} onDone={done} onClose={close} />
      )}
    </Panel>
  );
}

function ProvidersPanel({ account: { providers, profile }, events }) {
  const [asked, setAsked] = useState(null);
  const [problem, setProblem] = useState("");
  if (!providers.length) return null;
  const done = () => {
    setAsked(null);
    events.onReload();
  };
  return (
    <Panel title="External accounts" lead="Sign in with an account of another service.">
      <Rows label="External accounts">
        {providers.map((item) => (
          <Row key={item.id || item.key} mark={<ProviderMark name={item.key} size={18} />} title={item.label} chip={item.id && "Connected"} detail={item.id ? [item.email, `since ${day(item.since)}`].filter(Boolean).join(" · ") : "Not connected"}>
            {item.id
              ? <button type="button" className="button-quiet" aria-label={`Disconnect ${item.label}`} onClick={() => setAsked(item)}>Disconnect</button>
              : <button type="button" className="button-quiet" aria-label={`Connect ${item.label}`} onClick={async () => setProblem(await leaveFor(item.key, { link: true, next: "/account/security" }))}>Connect</button>}
          </Row>
        ))}
      </Rows>
      <Problem>{problem}</Problem>
      {asked && (
        <ProofDialog title={`Disconnect ${asked.label}?`} lead="You will no longer be able to sign in with it." hasPassword={profile.has_password} action="Disconnect" isDanger send={({ password = "" }) => ask("POST", `/api/me/identities/${asked.id}/remove`, { password })} onDone={done} onClose={() => setAsked(null)} />
      )}
    </Panel>
  );
}

export function SecuritySection({ account, events }) {
  return (
    <>
      <SecondFactorPanel account={account} events={events} />
      <PasskeysPanel account={account} events={events} />
      <PasswordPanel profile={account.profile} events={events} />
      <ProvidersPanel account={account} events={events} />
    </>
  );
}
