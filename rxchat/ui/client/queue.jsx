// What was sent while an answer is being written: it waits here, can be changed or taken back, and is asked in its turn.
import { useEffect, useRef, useState } from "react";
import { CornerDownRight, Pencil, Undo2 } from "lucide-react";
import { offered, refusal } from "./page-state.js";
import { tooLong } from "./words.js";

function Edit({ text: given, onSave, onCancel }) {
  const [text, setText] = useState(given);
  const field = useRef(null);
  const unsaved = useRef("");
  unsaved.current = text.trim() && text !== given ? text : "";
  // Its turn came while it was being changed: what was typed goes into the composer instead of being lost.
  useEffect(() => () => void (unsaved.current && offered.set({ text: unsaved.current, isReturned: true })), []);
  const leave = (then) => {
    unsaved.current = "";
    then();
  };
  useEffect(() => {
    const element = field.current;
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
  }, []);
  const isBad = !text.trim() || !!tooLong(text);
  const save = () => !isBad && leave(() => onSave(text));
  const onKeyDown = (event) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") leave(onCancel);
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
        <button type="button" className="button-quiet" onClick={() => leave(onCancel)}>Cancel</button>
        <button type="button" className="button-quiet" disabled={isBad} onClick={save}>Save</button>
      </div>
    </div>
  );
}

function Waiting({ message, onChange, onWithdraw }) {
  const [isEditing, setEditing] = useState(false);
  const [isLeaving, setLeaving] = useState(false);
  if (isEditing) {
    const save = (text) => {
      setEditing(false);
      if (text.trim() !== message.text) onChange(message.id, text);
    };
    return <li><Edit text={message.text} onSave={save} onCancel={() => setEditing(false)} /></li>;
  }
  const takeBack = () => {
    setLeaving(true);
    // If it was asked in that very moment, the page says so and the button works again.
    setTimeout(() => setLeaving(false), 3000);
    onWithdraw(message.id);
  };
  return (
    <li>
      <CornerDownRight size={15} aria-hidden="true" />
      <span className="queue-text" dir="auto">{message.text}</span>
      {!message.is_long && <button type="button" className="icon-button small" aria-label="Edit this message" data-tip="Edit" data-tip-side="top" onClick={() => setEditing(true)}>
        <Pencil size={14} aria-hidden="true" />
      </button>}
      <button type="button" className="icon-button small" aria-label="Take this message back" data-tip="Take back" data-tip-side="top" disabled={isLeaving} onClick={takeBack}>
        <Undo2 size={15} aria-hidden="true" />
      </button>
    </li>
  );
}

export function Queue({ waiting, run, givenBack, onChange, onWithdraw, onNext }) {
  const taken = useRef(givenBack?.id);
  useEffect(() => {
    if (!givenBack?.id || taken.current === givenBack.id) return;
    taken.current = givenBack.id;
    offered.set({ text: givenBack.text, isReturned: true });
  }, [givenBack]);
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
