// The list that `#` opens in the composer: collections and documents to ground the answer in.
import { useEffect, useId, useRef, useState } from "react";
import { Link } from "react-router";
import { FileText, Library } from "lucide-react";
import { useEscape } from "./controls.jsx";
import { fitting, hashAt, isLooking, withoutHash } from "./pick-words.js";

const DEBOUNCE = 120;
const PATIENCE = 500;

function Choices({ id, found, active, isAnswered, words, onChoose, onPoint }) {
  const list = useRef(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [active]);
  // The field keeps the focus: whoever presses something here goes on typing.
  const hold = (event) => event.preventDefault();
  if (!found.length) {
    return (
      <div className="menu hash-list" onPointerDown={hold} role="status">
        <p className="menu-note">
          {!isAnswered ? "Searching…" : <>{words ? "No collections or documents match." : "No collections or documents yet."} Upload some on the <Link to="/documents">Documents page</Link>.</>}
        </p>
      </div>
    );
  }
  return (
    <ul ref={list} id={id} role="listbox" aria-label="Collections and documents" className="menu hash-list" onPointerDown={hold}>
      {found.map((choice, at) => {
        const Icon = choice.kind === "collection" ? Library : FileText;
        return (
          <li key={choice.id} id={`${id}-${at}`} role="option" aria-selected={at === active} className="menu-item" onPointerMove={() => onPoint(at)} onClick={() => onChoose(choice)}>
            <Icon size={16} strokeWidth={1.75} aria-hidden="true" />
            <span className="hash-name">{choice.name}</span>
            <span className="hash-in">{choice.kind === "collection" ? "Collection" : choice.in}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** Ask the server a moment after the last key press; an empty answer that says nothing new is waited for, and believed. */
function useLooking(hash, isDismissed, searched, onFind) {
  const [waitedFor, setWaitedFor] = useState(null);
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

/** What a text field needs for it: its list, its props, and what it does with a key (true says that the key is used up). */
export function usePicker({ text, field, choices, searched, isTaken, onFind, onPick, onType }) {
  const [caret, setCaret] = useState(0);
  const [isHere, setHere] = useState(false);
  const [dismissed, setDismissed] = useState(-1);
  const [active, setActive] = useState(0);
  const id = useId();
  const hash = isHere ? hashAt(text, Math.min(caret, text.length)) : null;
  const isAnswered = useLooking(hash, hash?.at === dismissed, searched, onFind);
  const found = hash ? fitting(choices, searched, hash.words, isTaken) : [];
  const isOpen = isLooking(hash, found) && hash.at !== dismissed;
  const at = Math.min(active, found.length - 1);
  useEffect(() => setActive(0), [hash?.words]);
  useEffect(() => {
    if (!hash) setDismissed(-1);
  }, [!hash]);
  const dismiss = () => setDismissed(hash?.at ?? -1);
  useEscape(isOpen, dismiss);

  const choose = (choice) => {
    const rest = withoutHash(text, hash);
    onPick(choice);
    onType(rest.text);
    setCaret(rest.caret);
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(rest.caret, rest.caret);
    });
  };
  const onKey = (event) => {
    if (!isOpen || !found.length || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setActive((at + step + found.length) % found.length);
    else if (event.key === "Enter" || event.key === "Tab") choose(found[at]);
    else return false;
    event.preventDefault();
    return true;
  };
  const isListed = isOpen && found.length > 0;
  return {
    onKey,
    /** Where the caret is after typing: React tells of a selection only when it was moved. */
    typed: setCaret,
    field: {
      onSelect: (event) => setCaret(event.target.selectionStart),
      onFocus: () => setHere(true),
      onBlur: () => setHere(false),
      "aria-autocomplete": "list",
      "aria-haspopup": "listbox",
      "aria-controls": isListed ? id : undefined,
      "aria-activedescendant": isListed ? `${id}-${at}` : undefined,
    },
    list: isOpen && <Choices id={id} found={found} active={at} isAnswered={isAnswered} words={hash.words} onChoose={choose} onPoint={setActive} />,
  };
}
