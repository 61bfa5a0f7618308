// Two-factor authentication: an authenticator app, and the recovery codes for the day when it is lost.
import { useState } from "react";
import { Download, FileKey, Smartphone } from "lucide-react";
import { codesFile, grouped } from "./account-words.js";
import { ask } from "./backend.js";
import { CopyButton } from "./copy.jsx";
import { Dialog, DialogActions, ProofDialog } from "./dialog.jsx";
import { Form, useForm } from "./form-parts.jsx";
import { Panel, Row, Rows } from "./panel.jsx";

const CODE = { name: "code", label: "Code", missing: "code", type: "text", isCode: true, autoComplete: "one-time-code", inputMode: "numeric", maxLength: 10, className: "code-input", help: "The six-digit code from the app." };

function save(codes, email) {
  const url = URL.createObjectURL(new Blob([codesFile(codes, email, location.host)], { type: "text/plain" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: "rxchat-recovery-codes.txt" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function Codes({ codes, email, onClose }) {
  return (
    <Dialog title="Your recovery codes" onClose={onClose}>
      <p className="dialog-lead">Use one to sign in when you do not have your authenticator. Each works once. They will not be shown again: store them like passwords.</p>
      <ol className="codes" aria-label="Recovery codes">{codes.map((code) => <li key={code}><code>{code}</code></li>)}</ol>
      <div className="dialog-tools">
        <CopyButton text={codes.join("\n")} label="Copy the codes" withWord className="button-quiet" />
        <button type="button" className="button-quiet" onClick={() => save(codes, email)}><Download size={14} aria-hidden="true" /> Download</button>
      </div>
      <div className="dialog-actions"><button type="button" className="button-main" data-autofocus onClick={onClose}>I’ve saved them</button></div>
    </Dialog>
  );
}

function Scan({ offer, onDone, onClose }) {
  const form = useForm([CODE], async ({ code }) => {
    const answer = await ask("POST", "/api/me/totp/confirm", { code: code.replace(/\s/g, "") });
    if (!answer.problem) onDone(answer.data.codes);
    return answer;
  });
  return (
    <Dialog title="Set up your authenticator app" onClose={onClose}>
      <p className="dialog-lead">Scan this code with the app, or enter the key by hand. Then enter the code that the app shows.</p>
      <div className="scan">
        <img className="qr" src={`data:image/svg+xml,${encodeURIComponent(offer.picture)}`} alt="QR code for your authenticator app" width="176" height="176" />
        <div className="scan-key">
          <span>Key</span>
          <code tabIndex={0}>{grouped(offer.secret)}</code>
          <CopyButton text={offer.secret} label="Copy key" withWord className="button-quiet" />
        </div>
      </div>
      <Form form={form} footer={<DialogActions form={form} action="Turn on" busy="Checking…" onClose={onClose} />} />
    </Dialog>
  );
}

const QUESTIONS = {
  begin: { title: "Set up two-factor authentication", lead: "Confirm that it is you:", action: "Continue", path: "/api/me/totp/begin" },
  remove: { title: "Remove the authenticator app?", lead: "Signing in will no longer ask for its codes.", action: "Remove app", path: "/api/me/totp/remove", isDanger: true },
  renew: { title: "Create new recovery codes?", lead: "You get ten new codes. Your current ones stop working.", action: "Create new codes", path: "/api/me/recovery-codes" },
};

function AppRow({ hasApp, onAsk }) {
  return (
    <Row icon={Smartphone} title="Authenticator app" chip={hasApp && "On"} detail={hasApp ? "Sign-in asks for a code from the app." : "An app on your phone that shows a code for each sign-in."}>
      {hasApp
        ? <button type="button" className="button-quiet" aria-label="Remove the authenticator app" onClick={() => onAsk("remove")}>Remove</button>
        : <button type="button" className="button-quiet" aria-label="Set up an authenticator app" onClick={() => onAsk("begin")}>Set up</button>}
    </Row>
  );
}

function CodesRow({ left, onAsk }) {
  const words = left ? `${left} of 10 left. ${left <= 3 ? "Create new ones soon." : "Each can replace a code from the app once."}` : "None left. Create new ones, so that you can sign in if you lose your phone.";
  return (
    <Row icon={FileKey} title="Recovery codes" detail={words}>
      <button type="button" className="button-quiet" aria-label="Create new recovery codes" onClick={() => onAsk("renew")}>New codes</button>
    </Row>
  );
}

export function SecondFactorPanel({ account, events }) {
  const { hasApp, codesLeft, passkeys, profile } = account;
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  const question = QUESTIONS[dialog?.ask];
  const answered = (answer) => {
    if (dialog.ask === "begin") {
      setDialog({ offer: answer.data });
      return;
    }
    setDialog(dialog.ask === "renew" ? { codes: answer.data.codes } : null);
    events.onReload();
  };
  const confirmed = (codes) => {
    setDialog({ codes });
    events.onReload();
  };
  const onAsk = (ask) => setDialog({ ask });
  return (
    <Panel title="Two-factor authentication" lead="Protects your account if your password is stolen. A passkey counts as a second factor.">
      <Rows label="Two-factor authentication">
        <AppRow hasApp={hasApp} onAsk={onAsk} />
        {(hasApp || passkeys.length > 0) && <CodesRow left={codesLeft} onAsk={onAsk} />}
      </Rows>
      {question && (
        <ProofDialog key={dialog.ask} {...question} hasPassword={profile.has_password} send={({ password = "" }) => ask("POST", question.path, { password })} onDone={answered} onClose={close} />
      )}
      {dialog?.offer && <Scan offer={dialog.offer} onDone={confirmed} onClose={close} />}
      {dialog?.codes && <Codes codes={dialog.codes} email={profile.email} onClose={close} />}
    </Panel>
  );
}
