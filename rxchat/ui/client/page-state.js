// The one thread of this page, shared by the components that show and feed it.
import { useCallback, useSyncExternalStore } from "react";
import { clientValue, setClientValue, useClientValue } from "./client-values.js";
import { createThread, EMPTY_TEXT } from "./thread-state.js";
import { createDrafts } from "./drafts.js";
import { createOutbox } from "./outbox.js";

const viewListeners = new Set();
const textListeners = new Map();

export const thread = createThread((what, id) => {
  // A patch can complete or drop a text, so readers of texts hear of views too.
  if (what === "view") for (const listener of viewListeners) listener();
  const listeners = what === "view" ? [...textListeners.values()].flatMap((set) => [...set]) : textListeners.get(id);
  for (const listener of listeners ?? []) listener();
});

export const outbox = createOutbox(thread);

const subscribeView = (listener) => {
  viewListeners.add(listener);
  return () => viewListeners.delete(listener);
};

export const useThread = () => useSyncExternalStore(subscribeView, thread.view, thread.view);

/** The growing text of one running message; nobody else renders when it grows. */
export function useText(id) {
  const subscribe = useCallback(
    (listener) => {
      const listeners = textListeners.get(id) ?? new Set();
      textListeners.set(id, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (!listeners.size) textListeners.delete(id);
      };
    },
    [id],
  );
  return useSyncExternalStore(subscribe, () => thread.text(id), () => EMPTY_TEXT);
}

export const drafts = createDrafts(typeof localStorage === "undefined" ? { getItem: () => null } : localStorage);

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
