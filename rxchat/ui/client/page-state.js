// The one thread of this page, its outbox and its drafts, for all that reads them: a text that grows redraws its own message only.
import { useCallback, useSyncExternalStore } from "react";
import { clientValue, setClientValue, useClientValue } from "./client-values.js";
import { createDrafts } from "./drafts.js";
import { createOutbox } from "./outbox.js";
import { createStore, EMPTY_TEXT, textOf } from "./thread-state.js";

const listeners = new Set();

export const store = createStore(() => {
  for (const listener of [...listeners]) listener();
});
export const outbox = createOutbox(store);
export const drafts = createDrafts(typeof localStorage === "undefined" ? { getItem: () => null } : localStorage);

const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** What is shown, without the growing texts. */
export const viewed = () => store.state().view;
export const useThread = () => useSyncExternalStore(subscribe, viewed, viewed);

const listenToNothing = () => () => {};

/** The {text, reasoning} of a message; while it grows, only its reader is drawn. */
export function useText(message) {
  const isRunning = message.state === "running";
  const read = useCallback(() => (isRunning ? textOf(store.state(), message.id) : message), [message]);
  return useSyncExternalStore(isRunning ? subscribe : listenToNothing, read, () => EMPTY_TEXT);
}

/** Whether the page shows the conversation of its address; a new chat's page is born before its address changes. */
export const isHere = (tag, expected) => tag === expected || (!expected && viewed().born);

/** A client value by its name, with its hook. */
const shared = (name, initial) => ({
  get: () => clientValue(name) ?? initial,
  set: (value) => setClientValue(name, value),
  use: () => useClientValue(name, initial),
});

/** What a click on an example, a refusal or a withdrawal puts into the composer: {text, isReturned}; or `taken` out of it. */
export const offered = shared("offered", null);
/** Put texts into the composer that were there before; two that come at once both arrive. */
export function giveBack(texts) {
  if (texts.length) offered.set({ text: [offered.get()?.text, ...texts].filter(Boolean).join("\n\n"), isReturned: true });
}
/** What was refused and is in the composer again: {id, text}. Sent unchanged, it goes under the same id. */
export const returned = shared("returned", null);
/** Why the last message was not sent. */
export const refusal = shared("refusal", "");
