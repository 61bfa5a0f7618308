// The question before another user's account is deleted: it asks for the administrator's own password, by a request.
import { ask } from "./backend.js";
import { ProofDialog } from "./dialog.jsx";

/** Open while `isOpen`; `onDone` when the account is to be deleted. */
export function AccountDeletion({ isOpen, userId, title, lead, hasPassword, onDone, onClose }) {
  const send = ({ password = "" }) => ask("POST", `/api/admin/users/${encodeURIComponent(userId)}/delete`, { password });
  if (!isOpen) return null;
  return <ProofDialog {...{ title, lead, hasPassword, send }} action="Delete account" isDanger onDone={() => onDone()} onClose={() => onClose()} />;
}
