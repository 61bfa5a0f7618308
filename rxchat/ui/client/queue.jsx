// What was sent while an answer is being written: it waits here, can be changed or taken back, and is asked in its turn.
import { useEffect, useRef, useState } from "react";
import { useParams } from "react-router";
import { CornerDownRight, Pencil, Undo2 } from "lucide-react";
import { isComposing } from "./composition.js";
import { drafts, giveBack, refusal, thread, useThread } from "./page-state.js";
import { addPiece, isLeftBehind, isSaved, sortAside, startReading } from "./queue-state.js";
import { tooLong } from "./words.js";

function Edit({ text: given, onType, onSave, onCancel }) {
  const [text, setText] = useState(given);
  const field = useRef(null);
  const type = (value) => {
    setText(value);
    onType(value.trim() && value !== given ? value : "");
  };
  const leave = (then) => {
    onType("");
    then();
  };
  useEffect(() => {
    const element = field.current;
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
  }, []);
  const isBad = !text.trim() || !!tooLong(text);
  // What was typed is let go when the list shows it: its turn may come first.
  const save = () => !isBad && onSave(text.trim());
  const onKeyDown = (event) => {
    if (isComposing(event)) return;
    if (event.key === "Escape") leave(onCancel);
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  };
  return (
    <div className="queue-edit">
      <textarea ref={field} rows={2} dir="auto" aria-label="Queued message" value={text} onChange={(event) => type(event.target.value)} onKeyDown={onKeyDown} />
      {tooLong(text) && <p role="alert" className="queue-problem">{tooLong(text)}</p>}
      <div className="queue-actions">
        <button type="button" className="button-quiet" onClick={() => leave(onCancel)}>Cancel</button>
        <button type="button" className="button-quiet" disabled={isBad} onClick={save}>Save</button>
      </div>
    </div>
  );
}

function Waiting({ message, onType, onChange, onTakeBack }) {
  const [isEditing, setEditing] = useState(false);
  const [isLeaving, setLeaving] = useState(false);
  if (isEditing) {
    const save = (text) => {
      setEditing(false);
      if (text !== message.text) onChange(message.id, text);
    };
    const type = (text) => onType(text ? { id: message.id, text } : null);
    return <li><Edit text={message.text} onType={type} onSave={save} onCancel={() => setEditing(false)} /></li>;
  }
  const takeBack = () => {
    setLeaving(true);
    // If it was asked in that very moment, the page says so and the button works again.
    setTimeout(() => setLeaving(false), 3000);
    onTakeBack(message);
  };
  return (
    <li>
      <CornerDownRight size={15} aria-hidden="true" />
      <span className="queue-text" dir="auto">{message.text}</span>
      {!message.is_long && <button type="button" className="icon-button small" aria-label="Edit this message" data-tip="Edit" data-tip-side="top" onClick={() => setEditing(true)}>
        <Pencil size={14} aria-hidden="true" />
      </button>}
      <button type="button" className="icon-button small" aria-label="Remove this message from the queue" data-tip="Remove" data-tip-side="top" disabled={isLeaving} onClick={takeBack}>
        <Undo2 size={15} aria-hidden="true" />
      </button>
    </li>
  );
}

/** Take messages back: the page has a text whole and keeps it before it asks for that, so no broken line can lose it. */
function useTakingBack(view, currentUser, conversation, piece, onRead, onWithdraw) {
  const mine = useRef({});
  const reading = useRef(null);
  const sortedOnce = useRef("");
  const withdraw = (id, text) => {
    mine.current[id] = text;
    drafts.putAside(currentUser, conversation, id, text);
    onWithdraw(id);
  };
  useEffect(() => {
    const next = addPiece(reading.current, piece);
    if (next === reading.current) return;
    reading.current = next.isWhole ? null : next;
    if (next.isWhole) withdraw(next.id, next.texts.join(""));
    else onRead(next.id, String(next.texts.length));
  }, [piece]);
  useEffect(() => {
    mine.current = {};
    reading.current = null;
  }, [conversation]);
  useEffect(() => {
    if (!currentUser || view.waiting === null) return;
    // What another page of this browser put aside is its own business, unless this one was loaded after it.
    const page = `${currentUser}:${conversation}`;
    const stored = sortedOnce.current === page ? {} : drafts.aside(currentUser, conversation);
    Object.assign(mine.current, stored);
    const { offered, dropped } = sortAside(mine.current, thread.fate);
    sortedOnce.current = page;
    giveBack(offered);
    for (const id of dropped) {
      delete mine.current[id];
      drafts.dropAside(currentUser, conversation, id);
    }
  }, [view, currentUser, conversation]);
  return (message) => {
    if (!message.is_long) return withdraw(message.id, message.text);
    reading.current = startReading(message.id);
    return onRead(message.id, "0");
  };
}

export function Queue({ run, currentUser, piece, onChange, onRead, onWithdraw, onNext }) {
  const view = useThread();
  const { conversation_id: conversation = "" } = useParams();
  const takeBack = useTakingBack(view, currentUser, conversation, piece, onRead, onWithdraw);
  const edit = useRef(null);
  useEffect(() => void (edit.current = null), [conversation]);
  useEffect(() => {
    // Its turn came while it was being changed: what was typed goes into the composer instead of being lost.
    if (isSaved(edit.current, [...(view.waiting ?? []), ...view.messages])) edit.current = null;
    if (!isLeftBehind(edit.current, thread.fate)) return;
    giveBack([edit.current.text]);
    edit.current = null;
  }, [view]);
  const waiting = view.waiting ?? [];
  const isHeld = !run.state;
  useEffect(() => {
    if (!waiting.length) return;
    refusal.set(null);
  }, [waiting.length]);
  if (!waiting.length) return null;
  const title = isHeld ? "Not sent yet" : waiting.length === 1 ? "Sent when this answer is done or stopped" : `${waiting.length} messages, sent one after another when this answer is done or stopped`;
  return (
    <section className="queue" aria-label="Queued messages">
      <p className="queue-title" role="status">
        {title}
        {isHeld && <button type="button" className="button-quiet" onClick={onNext}>Send now</button>}
      </p>
      <ol>
        {waiting.map((message) => (
          <Waiting key={message.id} message={message} onType={(typed) => (edit.current = typed)} onChange={onChange} onTakeBack={takeBack} />
        ))}
      </ol>
    </section>
  );
}
