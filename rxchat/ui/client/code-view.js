// How blocks of code are shown, in all of them and at the next visit, too: a reader's choice of this browser.
import { useSyncExternalStore } from "react";

const KEY = "rxchat.code";
const listeners = new Set();
let chosen = { wraps: false, numbers: false };
try {
  chosen = { ...chosen, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
} catch {
  // No storage, or nothing that can be read.
}

const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
const current = () => chosen;

/** @param {"wraps" | "numbers"} name */
export function toggle(name) {
  chosen = { ...chosen, [name]: !chosen[name] };
  try {
    localStorage.setItem(KEY, JSON.stringify(chosen));
  } catch {
    // It holds until the page is closed.
  }
  for (const listener of listeners) listener();
}

export const useCodeView = () => useSyncExternalStore(subscribe, current);
