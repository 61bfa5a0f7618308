// The keys and the caret behind the list that `#` opens in the composer; Python draws the list.
import { useEffect, useState } from "react";
import { setClientValue } from "./client-values.js";
import { fitting, hashAt, isLooking, withoutHash } from "./pick-words.js";

const DEBOUNCE = 120;
const PATIENCE = 500;
const CLOSED = { is_open: false, is_answered: false, words: "", found: [], active: 0 };
/** The id of the list; its options add their numbers. */
export const PICK_ID = "context-choices";

/** What a click on an option, or pointing at one, does in the composer on screen. */
let shown = { choose: (_at) => {}, point: (_at) => {} };
export const choosePick = (at) => shown.choose(at);
export const pointAtPick = (at) => shown.point(at);

/** Ask the server a moment after the last key press; an empty answer that says nothing new is waited for, and believed. */
function useLooking(hash, isDismissed, searched, onFind) {
  const [waitedFor, setWaitedFor] = useState(/** @type {string | null} */ (null));
  const words = hash && !isDismissed ? hash.words : null;
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
function usePublished(value) {
  const said = JSON.stringify(value);
  useEffect(() => {
    setClientValue("context_choices", value);
    requestAnimationFrame(() => document.querySelector(`#${PICK_ID} [aria-selected="true"]`)?.scrollIntoView({ block: "nearest" }));
  }, [said]);
  useEffect(() => () => setClientValue("context_choices", CLOSED), []);
}

/** What a text field needs for it: its props, and what it does with a key (true says that the key is used up). */
export function usePicker({ text, field, choices, searched, isTaken, onFind, onPick, onType }) {
  const [caret, setCaret] = useState(0);
  const [isHere, setHere] = useState(false);
  const [dismissed, setDismissed] = useState(-1);
  const [active, setActive] = useState(0);
  const hash = isHere ? hashAt(text, Math.min(caret, text.length)) : null;
  const isAnswered = useLooking(hash, hash?.at === dismissed, searched, onFind);
  const found = hash ? fitting(choices, searched, hash.words, isTaken) : [];
  const isOpen = hash !== null && isLooking(hash, found) && hash.at !== dismissed;
  const at = Math.max(0, Math.min(active, found.length - 1));
  useEffect(() => setActive(0), [hash?.words]);
  useEffect(() => {
    if (!hash) setDismissed(-1);
  }, [!hash]);
  usePublished(isOpen ? { is_open: true, is_answered: isAnswered, words: hash.words, found, active: at } : CLOSED);

  const choose = (number) => {
    if (!isOpen || !found[number]) return;
    const rest = withoutHash(text, hash);
    onPick(found[number]);
    onType(rest.text);
    setCaret(rest.caret);
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(rest.caret, rest.caret);
    });
  };
  shown = { choose, point: setActive };
  const onKey = (event) => {
    if (!isOpen || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") setDismissed(hash.at);
    else if (!found.length) return false;
    else if (step) setActive((at + step + found.length) % found.length);
    else if (event.key === "Enter" || event.key === "Tab") choose(at);
    else return false;
    event.preventDefault();
    return true;
  };
  return {
    onKey,
    /** Where the caret is after typing: React reports a selection only after it moved. */
    typed: setCaret,
    isListed: isOpen && found.length > 0,
    active: at,
    field: { onSelect: (event) => setCaret(event.target.selectionStart), onFocus: () => setHere(true), onBlur: () => setHere(false) },
  };
}
