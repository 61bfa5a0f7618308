// Dialogs: a question before something happens, and the forms that want the password first.
import { useEffect, useId, useRef } from "react";
import { X } from "lucide-react";
import { IconButton, useEscape } from "./controls.jsx";
import { FIELDS, Form, Submit, useForm } from "./form-parts.jsx";

/** The browser's own modal dialog: focus stays inside, goes to the first field, and back to where it came from. */
export function Dialog({ title, onClose, children }) {
  const dialog = useRef(null);
  const id = useId();
  useEscape(true, onClose);
  useEffect(() => {
    const opener = document.activeElement;
    const shown = dialog.current;
    shown.showModal();
    shown.querySelector("[data-autofocus]")?.focus();
    return () => {
      shown.close();
      // Whatever opened it may be gone, with the row that was removed.
      if (opener?.isConnected) opener.focus();
      else document.getElementById("account-title")?.focus();
    };
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={id} onCancel={cancel}>
      <header className="dialog-head">
        <h2 id={id}>{title}</h2>
        <IconButton icon={X} label="Close" side="left" className="small" onClick={onClose} />
      </header>
      {children}
    </dialog>
  );
}

export const PROOF = { ...FIELDS.password, id: "proof", label: "Your password", missing: "password" };

export function DialogActions({ form, action, busy, isDanger, onClose }) {
  return (
    <div className="dialog-actions">
      <button type="button" className="button-quiet" onClick={onClose}>Cancel</button>
      <Submit form={form} action={action} busy={busy} isDanger={isDanger} />
    </div>
  );
}

/** Asks for the password (of accounts that have one) and for `fields`; `send(values)` gives an answer of `ask`. */
export function ProofDialog({ title, lead, fields = [], prefilled, hasPassword, action, busy = "One moment…", isDanger, send, onDone, onClose }) {
  const form = useForm([...fields, ...(hasPassword ? [PROOF] : [])], async (values) => {
    const answer = await send(values);
    if (!answer.problem) onDone(answer);
    return answer;
  }, { prefilled });
  return (
    <Dialog title={title} onClose={onClose}>
      {lead && <p className="dialog-lead">{lead}</p>}
      <Form form={form} footer={<DialogActions {...{ form, action, busy, isDanger, onClose }} />} />
    </Dialog>
  );
}

/** Yes or no. */
export function ConfirmDialog({ title, lead, action, isDanger, onConfirm, onClose }) {
  const form = useForm([], async () => {
    onConfirm();
    onClose();
    return {};
  });
  return (
    <Dialog title={title} onClose={onClose}>
      <p className="dialog-lead">{lead}</p>
      <Form form={form} footer={<DialogActions {...{ form, action, isDanger, onClose }} busy={action} />} />
    </Dialog>
  );
}
