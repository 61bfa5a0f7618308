// Keeps the texts of queued messages that are edited or taken back, in the browser's storage too; shows nothing.
import { useEffect, useRef } from "react";
import { useParams } from "react-router";
import { setClientValue } from "./client-values.js";
import { drafts, giveBack, refusal, store, useThread } from "./page-state.js";
import { addPiece, isLeftBehind, isSaved, sortAside, startReading } from "./queue-state.js";
import { fateOf } from "./thread-state.js";

const PATIENCE_MS = 3000;

/** What is typed into a queued message: {id, text}; null when it is what the message says. */
let edit = null;
export const typeQueued = (id, given, typed) => void (edit = typed.trim() && typed !== given ? { id, text: typed } : null);
export const leaveQueued = () => void (edit = null);

const fate = (id) => fateOf(store.state(), id);

let takeBackShown = () => {};

/** Take a message out of the queue and put its text into the composer. */
export function takeBack(id, text, isLong) {
  setClientValue("queue_leaving", id);
  // If it was asked in that very moment, the page says so and the button works again.
  setTimeout(() => setClientValue("queue_leaving", ""), PATIENCE_MS);
  takeBackShown(id, text, isLong);
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
    const { offered, dropped } = sortAside(mine.current, fate);
    sortedOnce.current = page;
    giveBack(offered);
    for (const id of dropped) {
      delete mine.current[id];
      drafts.dropAside(currentUser, conversation, id);
    }
  }, [view, currentUser, conversation]);
  return (id, text, isLong) => {
    if (!isLong) return withdraw(id, text);
    reading.current = startReading(id);
    return onRead(id, "0");
  };
}

export function QueueFeed({ currentUser, piece, onRead, onWithdraw }) {
  const view = useThread();
  const { conversation_id: conversation = "" } = useParams();
  takeBackShown = useTakingBack(view, currentUser, conversation, piece, onRead, onWithdraw);
  useEffect(leaveQueued, [conversation]);
  useEffect(() => {
    // Its turn came while it was being changed: what was typed goes into the composer instead of being lost.
    if (isSaved(edit, [...(view.waiting ?? []), ...view.messages])) edit = null;
    if (!isLeftBehind(edit, fate)) return;
    giveBack([edit.text]);
    edit = null;
  }, [view]);
  const count = view.waiting?.length ?? 0;
  useEffect(() => {
    if (count) refusal.set("");
  }, [count]);
  return null;
}
