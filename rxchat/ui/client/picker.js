// The keys and the caret behind the lists that `#` and `/` open in the composer; Python draws the lists.
import { useEffect, useState } from "react";
import { setClientValue } from "./client-values.js";
import { isLooking } from "./pick-words.js";

const DEBOUNCE = 120;
const PATIENCE = 500;
/** Where the list was dismissed, and for which words: all for null. */
const SHOWN = { at: -1, words: null };
const CLOSED = { is_open: false, is_answered: false, words: "", found: [], active: 0 };

/** What a click on an option of a list, or pointing at one, does in the composer on screen. */
const shown = {};
export const choosePick = (name, at) => shown[name]?.choose(at);
export const pointAtPick = (name, at) => shown[name]?.point(at);

/** Ask the server a moment after the last key press; an empty answer that says nothing new is waited for, and believed. */
function useLooking(sign, isDismissed, searched, onFind) {
  const [waitedFor, setWaitedFor] = useState(/** @type {string | null} */ (null));
  const words = sign && !isDismissed ? sign.words : null;
  useEffect(() => {
    if (words === null) return undefined;
    setWaitedFor(null);
    const ask = setTimeout(() => onFind(words), DEBOUNCE);
    const wait = setTimeout(() => setWaitedFor(words), DEBOUNCE + PATIENCE);
    return () => [ask, wait].forEach(clearTimeout);
  }, [words]);
  return words !== null && ((searched === words && words !== "") || waitedFor === words);
}

/** Show the list as it is now, with the active option in sight. */
function usePublished(name, value) {
  const said = JSON.stringify(value);
  useEffect(() => {
    setClientValue(`${name}_choices`, value);
    requestAnimationFrame(() => document.querySelector(`#${name}-choices [aria-selected="true"]`)?.scrollIntoView({ block: "nearest" }));
  }, [said]);
  useEffect(() => () => setClientValue(`${name}_choices`, CLOSED), []);
}

/**
 * What a text field needs for a list: its props, and what it does with a key (true says that the key is used up).
 * `name` is that of the list ("context" is the client value "context_choices" and the element "context-choices"), `look` finds the
 * sign and the words that the caret is behind, `fit` what fits them, and `onPick` takes both and puts something in their place.
 */
export function usePicker({ name, text, look, fit, searched, onFind, onPick }) {
  const [caret, setCaret] = useState(0);
  const [isHere, setHere] = useState(false);
  const [dismissed, setDismissed] = useState(SHOWN);
  const [active, setActive] = useState(0);
  const sign = isHere ? look(text, Math.min(caret, text.length)) : null;
  const isDismissed = sign?.at === dismissed.at && (dismissed.words === null || dismissed.words === sign?.words);
  const isAnswered = useLooking(sign, isDismissed, searched, onFind);
  const found = sign ? fit(sign.words) : [];
  const isOpen = sign !== null && isLooking(sign, found) && !isDismissed;
  const at = Math.max(0, Math.min(active, found.length - 1));
  useEffect(() => setActive(0), [sign?.words]);
  useEffect(() => {
    if (!sign) setDismissed(SHOWN);
  }, [!sign]);
  usePublished(name, isOpen ? { is_open: true, is_answered: isAnswered, words: sign.words, found, active: at } : CLOSED);

  const choose = (number) => {
    if (!isOpen || !found[number]) return;
    // It stays closed until the sign is gone, which may take the server's answer, or other words are typed.
    setDismissed(sign);
    onPick(found[number], sign);
  };
  shown[name] = { choose, point: setActive };
  const onKey = (event) => {
    if (!isOpen || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") setDismissed({ at: sign.at, words: null });
    else if (!found.length) return false;
    else if (step) setActive((at + step + found.length) % found.length);
    else if (event.key === "Enter" || event.key === "Tab") choose(at);
    else return false;
    event.preventDefault();
    return true;
  };
  return {
    onKey,
    /** Where the caret is after typing: React reports a selection only after it moved, and no focus that comes back from a dialog. */
    typed: (at) => {
      setCaret(at);
      setHere(true);
    },
    isListed: isOpen && found.length > 0,
    list: `${name}-choices`,
    active: `${name}-choices-${at}`,
    /** Whether the field has the focus. */
    setHere,
  };
}
