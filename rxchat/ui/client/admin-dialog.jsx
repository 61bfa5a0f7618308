// A window over the page that asks something. The browser's own dialog keeps the focus in it and the rest out of reach.
import { useEffect, useId, useRef } from "react";
import { X } from "lucide-react";
import { IconButton, useEscape } from "./controls.jsx";

const FIRST = "[data-autofocus], form input:not([type=hidden]), form select, form textarea, .picker input, .dialog-actions button";

function OpenDialog({ title, lead, isWide, onClose, children }) {
  const root = useRef(null);
  const id = useId();
  useEscape(true, () => onClose());
  useEffect(() => {
    const before = document.activeElement;
    const dialog = root.current;
    dialog.showModal();
    dialog.querySelector(FIRST)?.focus();
    return () => {
      dialog.close();
      if (before?.isConnected) before.focus();
      else document.querySelector(".admin button, .admin input")?.focus();
    };
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog ref={root} className="dialog" data-wide={isWide || undefined} aria-labelledby={id} onCancel={cancel}>
      <header className="dialog-head">
        <h2 id={id}>{title}</h2>
        <IconButton icon={X} size={17} label="Close" side="left" className="small" onClick={() => onClose()} />
      </header>
      {lead && <p className="dialog-lead">{lead}</p>}
      {children}
    </dialog>
  );
}

/** Open while `isOpen`; Escape, the cross and the buttons in it close it, a press beside it does not. */
export function AdminDialog({ isOpen, ...rest }) {
  return isOpen ? <OpenDialog {...rest} /> : null;
}
