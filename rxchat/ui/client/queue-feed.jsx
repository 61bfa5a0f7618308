// Keeps the texts of queued messages that are edited or taken back, in the browser's storage too; shows nothing.
import { useEffect, useRef } from "react";
import { useParams } from "react-router";
import { ask } from "./backend.js";
import { setClientValue } from "./client-values.js";
import { drafts, giveBack, refusal, store, useThread, viewed } from "./page-state.js";
import { isLeftBehind, isSaved, sortAside } from "./queue-state.js";
import { fateOf } from "./thread-state.js";

const PATIENCE_MS = 3000;

/** What is typed into a queued message: {id, text}; null when it is what the message says. */
let edit = /** @type {{ id: string, text: string } | null} */ (null);
export function typeQueued(id, given, typed) {
  edit = typed.trim() && typed !== given ? { id, text: typed } : null;
}
export function leaveQueued() {
  edit = null;
}

const fate = (id) => fateOf(store.state(), id);

/** What taking back does on the page that is shown. */
let takeBackShown = async (_id, _text, _isLong) => {};

/** Take a message out of the queue and put its text into the composer. */
export function takeBack(id, text, isLong) {
  setClientValue("queue_leaving", id);
  // If it was asked in that very moment, the page says so and the button works again.
  setTimeout(() => setClientValue("queue_leaving", ""), PATIENCE_MS);
  void takeBackShown(id, text, isLong);
}

/** Take messages back: the page has a text whole and keeps it before it asks for that, so no broken line can lose it. */
function useTakingBack(view, currentUser, conversation, onWithdraw) {
  const mine = useRef({});
  const sortedOnce = useRef("");
  useEffect(() => {
    mine.current = {};
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
  return async (id, text, isLong) => {
    // The list has only the beginning of a long one.
    const whole = isLong ? await ask("GET", `/api/conversations/${conversation}/queued/${id}`) : { data: { text } };
    if (viewed().tag !== conversation) return;
    refusal.set(whole.problem ?? "");
    if (whole.problem) return;
    mine.current[id] = whole.data.text;
    drafts.putAside(currentUser, conversation, id, whole.data.text);
    onWithdraw(id);
  };
}

export function QueueFeed({ currentUser, onWithdraw }) {
  const view = useThread();
  const { conversation_id: conversation = "" } = useParams();
  takeBackShown = useTakingBack(view, currentUser, conversation, onWithdraw);
  useEffect(leaveQueued, [conversation]);
  useEffect(() => {
    // Its turn came while it was being changed: what was typed goes into the composer instead of being lost.
    if (isSaved(edit, [...(view.waiting ?? []), ...view.messages])) edit = null;
    if (!edit || !isLeftBehind(edit, fate)) return;
    giveBack([edit.text]);
    edit = null;
  }, [view]);
  const count = view.waiting?.length ?? 0;
  useEffect(() => {
    if (count) refusal.set("");
  }, [count]);
  return null;
}
