// Two-step verification: an authenticator app, and the recovery codes for the day when it is lost.
import { useState } from "react";
import { Download, FileKey, Smartphone } from "lucide-react";
import { codesFile, grouped } from "./account-words.js";
import { ask } from "./backend.js";
import { CopyButton } from "./copy.jsx";
import { Dialog, DialogActions, ProofDialog } from "./dialog.jsx";
import { Form, useForm } from "./form-parts.jsx";
import { Panel, Row, Rows } from "./panel.jsx";

const CODE = { name: "code", label: "Code", missing: "code", type: "text", isCode: true, autoComplete: "one-time-code", inputMode: "numeric", maxLength: 10, className: "code-input", help: "The six digits that the app shows now." };

function save(codes, email) {
  const url = URL.createObjectURL(new Blob([codesFile(codes, email, location.host)], { type: "text/plain" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: "rxchat-recovery-codes.txt" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function Codes({ codes, email, onClose }) {
  return (
    <Dialog title="Your recovery codes" onClose={onClose}>
      <p className="sheet-lead">Each of them signs you in once when your authenticator is not at hand. They are shown this once: keep them where you keep passwords.</p>
      <ol className="codes" aria-label="Recovery codes">{codes.map((code) => <li key={code}><code>{code}</code></li>)}</ol>
      <div className="sheet-tools">
        <CopyButton text={codes.join("\n")} label="Copy the codes" withWord className="button-quiet" />
        <button type="button" className="button-quiet" onClick={() => save(codes, email)}><Download size={14} aria-hidden="true" /> Download</button>
      </div>
      <div className="sheet-actions"><button type="button" className="button-main" data-autofocus onClick={onClose}>I’ve saved them</button></div>
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
      <p className="sheet-lead">Scan this with the app, or type the key into it by hand. Then enter the code that it shows.</p>
      <div className="scan">
        <img className="qr" src={`data:image/svg+xml,${encodeURIComponent(offer.picture)}`} alt="QR code for your authenticator app" width="176" height="176" />
        <div className="scan-key">
          <span>Key</span>
          <code tabIndex={0}>{grouped(offer.secret)}</code>
          <CopyButton text={offer.secret} label="Copy the key" withWord className="button-quiet" />
        </div>
      </div>
      <Form form={form} footer={<DialogActions form={form} action="Turn on" busy="Checking…" onClose={onClose} />} />
    </Dialog>
  );
}

const QUESTIONS = {
  begin: { title: "Set up two-step verification", lead: "First, so that we know that it is you:", action: "Continue", path: "/api/me/totp/begin" },
  remove: { title: "Remove the authenticator app?", lead: "Signing in will not ask for its codes any more.", action: "Remove the app", path: "/api/me/totp/remove", isDanger: true },
  renew: { title: "Make new recovery codes?", lead: "You get ten new ones, and those that you have now stop working.", action: "Make new codes", path: "/api/me/recovery-codes" },
};

function AppRow({ hasApp, onAsk }) {
  return (
    <Row icon={Smartphone} title="Authenticator app" chip={hasApp && "On"} detail={hasApp ? "Signing in asks for a code of the app." : "A phone app that makes a code whenever you sign in."}>
      {hasApp
        ? <button type="button" className="button-quiet" aria-label="Remove the authenticator app" onClick={() => onAsk("remove")}>Remove</button>
        : <button type="button" className="button-quiet" aria-label="Set up an authenticator app" onClick={() => onAsk("begin")}>Set up</button>}
    </Row>
  );
}

function CodesRow({ left, onAsk }) {
  const words = left ? `${left} of 10 left. ${left <= 3 ? "Make new ones soon." : "They work in place of the app."}` : "None left. Make some, so that a lost phone does not lock you out.";
  return (
    <Row icon={FileKey} title="Recovery codes" detail={words}>
      <button type="button" className="button-quiet" aria-label="Make new recovery codes" onClick={() => onAsk("renew")}>New codes</button>
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
    <Panel title="Two-step verification" lead="With it, a stolen password alone does not open your account. A passkey counts, too.">
      <Rows label="Two-step verification">
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
