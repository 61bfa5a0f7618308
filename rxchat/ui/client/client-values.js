// Values in the browser (what is open, what is typed), by name: Reflex's own client state redraws every component that sets a value, each of a thousand rows.
import { useLayoutEffect, useSyncExternalStore } from "react";

/** @type {Map<string, any>} */
const values = new Map();
/** @type {Map<string, Set<() => void>>} */
const listeners = new Map();

/** @param {string} name */
function listenersOf(name) {
  const known = listeners.get(name) ?? new Set();
  listeners.set(name, known);
  return known;
}

/** @param {string} name @param {any} value */
export function setClientValue(name, value) {
  if (Object.is(values.get(name), value)) return;
  values.set(name, value);
  for (const listener of [...listenersOf(name)]) listener();
}

/** @param {string} name */
export const clientValue = (name) => values.get(name);

/** @param {string} name @param {() => void} listener @returns {() => void} removes the listener */
export function onClientValue(name, listener) {
  const known = listenersOf(name).add(listener);
  return () => void known.delete(listener);
}

/** The value, which redraws its reader when it changes; `initial` until it is set. @param {string} name @param {any} initial */
export function useClientValue(name, initial) {
  if (!values.has(name)) values.set(name, initial);
  return useSyncExternalStore(
    (listener) => onClientValue(name, listener),
    () => values.get(name),
    () => initial,
  );
}

/** Sets values when a page is drawn, so that it does not show what its earlier visit ended with. @param {{ values: Record<string, any> }} props */
export function FreshValues({ values: fresh }) {
  useLayoutEffect(() => {
    for (const [name, value] of Object.entries(fresh)) setClientValue(name, value);
  }, []);
  return null;
}

/** The list with this item if it was not in it, without it if it was. @param {any[]} list @param {any} item */
export const toggled = (list, item) => (list.includes(item) ? list.filter((other) => other !== item) : [...list, item]);
