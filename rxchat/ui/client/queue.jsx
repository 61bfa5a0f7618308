// What was sent while an answer is being written: it waits here, can be changed or taken back, and is asked in its turn.
import { useEffect, useRef, useState } from "react";
import { CornerDownRight, Pencil, Undo2 } from "lucide-react";
import { offered, refusal } from "./page-state.js";
import { tooLong } from "./words.js";

function Edit({ text: given, onSave, onCancel }) {
  const [text, setText] = useState(given);
  const field = useRef(null);
  useEffect(() => {
    const element = field.current;
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
  }, []);
  const isBad = !text.trim() || !!tooLong(text);
  const save = () => !isBad && onSave(text);
  const onKeyDown = (event) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") onCancel();
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  };
  return (
    <div className="queue-edit">
      <textarea ref={field} rows={2} dir="auto" aria-label="Waiting message" value={text} onChange={(event) => setText(event.target.value)} onKeyDown={onKeyDown} />
      {tooLong(text) && <p role="alert" className="queue-problem">{tooLong(text)}</p>}
      <div className="queue-actions">
        <button type="button" className="button-quiet" onClick={onCancel}>Cancel</button>
        <button type="button" className="button-quiet" disabled={isBad} onClick={save}>Save</button>
      </div>
    </div>
  );
}

function Waiting({ message, onChange, onWithdraw }) {
  const [isEditing, setEditing] = useState(false);
  if (isEditing) {
    const save = (text) => {
      setEditing(false);
      if (text.trim() !== message.text) onChange(message.id, text);
    };
    return <li><Edit text={message.text} onSave={save} onCancel={() => setEditing(false)} /></li>;
  }
  const takeBack = () => {
    onWithdraw(message.id);
    offered.set({ text: message.text, isReturned: true });
  };
  return (
    <li>
      <CornerDownRight size={15} aria-hidden="true" />
      <span className="queue-text" dir="auto">{message.text}</span>
      <button type="button" className="icon-button small" aria-label="Edit this message" data-tip="Edit" data-tip-side="top" onClick={() => setEditing(true)}>
        <Pencil size={14} aria-hidden="true" />
      </button>
      <button type="button" className="icon-button small" aria-label="Take this message back" data-tip="Take back" data-tip-side="top" onClick={takeBack}>
        <Undo2 size={15} aria-hidden="true" />
      </button>
    </li>
  );
}

export function Queue({ waiting, run, onChange, onWithdraw, onNext }) {
  const isHeld = !run.state;
  useEffect(() => {
    if (!waiting.length) return;
    refusal.set(null);
  }, [waiting.length]);
  if (!waiting.length) return null;
  const title = isHeld ? "Not sent yet: the answer before did not end well." : waiting.length === 1 ? "Sent when this answer is done" : `${waiting.length} messages, sent one after another when this answer is done`;
  return (
    <section className="queue" aria-label="Waiting messages">
      <p className="queue-title" role="status">
        {title}
        {isHeld && <button type="button" className="button-quiet" onClick={onNext}>Send now</button>}
      </p>
      <ol>
        {waiting.map((message) => (
          <Waiting key={message.id} message={message} onChange={onChange} onWithdraw={onWithdraw} />
        ))}
      </ol>
    </section>
  );
}
