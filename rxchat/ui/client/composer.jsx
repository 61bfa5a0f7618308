// The text field of the composer: input methods, drafts, pasting and the caret are the browser's. Python draws what is around it.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useParams } from "react-router";
import { browserPreference } from "./browser-preferences.js";
import { isSameAttached, isThere } from "./attachments.js";
import { setClientValue, useClientValue } from "./client-values.js";
import { insertsBy, withInserted } from "./composer-insert.js";
import { isComposing } from "./composition.js";
import { useDraftSync } from "./draft-sync.js";
import { endDictation, stopDictation } from "./dictation.js";
import { attachText, showAttachments } from "./page-attachments.js";
import { pastedFiles } from "./page-files.js";
import { drafts, offered, outbox, refusal, returned, store, viewed } from "./page-state.js";
import { isLongText } from "./pasted-text.js";
import { fitting, hashAt, withoutHash } from "./pick-words.js";
import { usePicker } from "./picker.js";
import { usePrompts } from "./prompt-insert.js";
import { isKnown, onItsWay } from "./thread-state.js";
import { newId, tooLong } from "./words.js";

const NONE = [];
const NOTHING_ATTACHED = { chips: NONE, coming: 0, left_out: NONE, pictures: 0 };
const coarse = () => matchMedia("(pointer: coarse)").matches;

/** Focus the field, but not on a phone, whose keyboard would come up. */
export const focusComposer = () => void (coarse() || document.getElementById("composer")?.focus());

/** What the composer on screen does when its form is submitted. */
let sendShown = () => {};
export const sendMessage = () => sendShown();

/** The box is as high as its text, up to 40 % of the window; then it scrolls. */
function useGrowth(field, text) {
  const grow = useCallback(() => {
    const element = field.current;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, []);
  useLayoutEffect(grow, [text]);
  useEffect(() => {
    addEventListener("resize", grow);
    return () => removeEventListener("resize", grow);
  }, []);
}

/** Send again what was sent before the page was loaded, and perhaps never heard: under the same id. */
function sendUnsettled(currentUser, conversation) {
  const sent = drafts.unsettled(currentUser, conversation);
  if (!sent || (viewed().tag === conversation && isKnown(store.state(), sent.id))) return;
  store.dispatch({ type: "doubt", id: sent.id });
  outbox.post(sent.id, sent.text, sent.attached);
}

/** The text, its draft in the browser, and what others put into it. */
function useDraft(currentUser, conversation) {
  const [text, setText] = useState("");
  const latest = useRef("");
  const show = useCallback((value) => {
    latest.current = value;
    setText(value);
  }, []);
  const type = (value) => {
    show(value);
    refusal.set("");
    drafts.type(currentUser, conversation, value);
  };

  const isLoadedFor = useRef("");
  useEffect(() => {
    if (!currentUser) return;
    const key = `${currentUser}:${conversation}`;
    if (isLoadedFor.current === key) return;
    isLoadedFor.current = key;
    const isBorn = conversation && viewed().born;
    if (isBorn) drafts.move(currentUser, conversation);
    const stored = drafts.load(currentUser, conversation);
    if (stored !== latest.current) show(stored);
    sendUnsettled(currentUser, conversation);
    refusal.set("");
    returned.set(null);
    // A new chat that gets its address is still the same page, and its reader may be elsewhere on it.
    if (!isBorn) focusComposer();
  }, [currentUser, conversation]);

  const offer = offered.use();
  useEffect(() => {
    if (!offer) return;
    offered.set(null);
    if (offer.taken !== undefined) {
      // It was refused and arrived after all, as when an answer to the first of two tries comes late.
      if (latest.current.trim() === offer.taken.trim()) type("");
      return;
    }
    const value = [offer.text, offer.isReturned ? latest.current : ""].filter(Boolean).join("\n\n");
    show(value);
    drafts.type(currentUser, conversation, value);
    document.getElementById("composer")?.focus();
  }, [offer]);
  return { text, type, show, latest };
}

/** Send the message, unless something has to be done first. */
function send(currentUser, conversation, text, attachments) {
  if (onItsWay(store.state()).length) {
    refusal.set("Your last message is still being sent. Send this one afterwards.");
    return false;
  }
  const back = returned.get();
  const attached = attachments?.attached();
  const isUnchanged = back && back.text.trim() === text.trim() && isSameAttached(back.attached, attached);
  const id = isUnchanged ? back.id : newId();
  returned.set(null);
  // As the server stores it: what surrounds it is not counted, and does not travel.
  drafts.send(currentUser, conversation, id, text.trim(), attached);
  attachments?.clear();
  outbox.post(id, text.trim(), attached);
  refusal.set("");
  return true;
}

/** Show Python's parts of the composer what they need; returns whether the message can be sent. */
function usePublished(text, { chips, coming }) {
  const isSomething = !!text.trim() || chips.some(isThere);
  const problem = tooLong(text);
  useLayoutEffect(() => {
    setClientValue("composer_is_something", isSomething);
    setClientValue("composer_too_long", problem);
  }, [isSomething, problem]);
  return isSomething && !problem && !coming;
}

/** Show a text with the caret at a place in it: as soon as it is drawn, so that the next key finds it there. */
function usePlaced(field, type) {
  const wanted = useRef(/** @type {{ caret: number, isFocused: boolean } | null} */ (null));
  useLayoutEffect(() => {
    if (!wanted.current) return;
    const { caret, isFocused } = wanted.current;
    wanted.current = null;
    if (isFocused) field.current.focus();
    field.current.setSelectionRange(caret, caret);
  });
  return (value, caret, isFocused = true) => {
    wanted.current = { caret, isFocused };
    type(value);
  };
}

/** Take words from the clipboard's attachments and from the microphone, until another conversation is shown. */
function useInsertion(field, latest, place, conversation) {
  useLayoutEffect(() => {
    insertsBy((words, isSpoken) => {
      const { selectionStart, selectionEnd } = field.current;
      const made = withInserted(latest.current, selectionStart, selectionEnd, words, isSpoken);
      // The keyboard of a phone would cover what is dictated.
      place(made.text, made.caret, !(isSpoken && coarse()));
    });
  });
  useEffect(() => () => insertsBy(null), []);
  useEffect(() => () => void endDictation(), [conversation]);
}

/** A long text that is pasted becomes an attachment; not by Ctrl+Shift+V, which pastes plain text. */
function usePaste() {
  const isPlain = useRef(false);
  const pressed = (event) => {
    isPlain.current = event.code === "KeyV" && event.shiftKey && (event.ctrlKey || event.metaKey);
  };
  const onPaste = (event) => {
    const isKept = isPlain.current;
    isPlain.current = false;
    const words = event.clipboardData.getData("text/plain");
    if (isKept || !isLongText(words) || pastedFiles(event.clipboardData).length) return;
    if (attachText(words)) event.preventDefault();
  };
  return { pressed, onPaste };
}

/** The list that `#` opens: what is picked goes along with the message. */
function useContextPicker({ text, place, choices, searched, isTaken, onFind, onPick }) {
  return usePicker({
    name: "context",
    text,
    look: hashAt,
    fit: (words) => fitting(choices, searched, words, isTaken),
    searched,
    onFind,
    onPick: (choice, sign) => {
      onPick(choice);
      const rest = withoutHash(text, sign);
      place(rest.text, rest.caret);
    },
  });
}

export function ComposerField({
  model,
  currentUser,
  contextSources,
  contextSourcesOf,
  choices,
  searched,
  onFind,
  draft,
  draftSaved,
  onLoadDraft,
  onSaveDraft,
  ...prompts
}) {
  const { conversation_id: conversation = "" } = useParams();
  const field = useRef(/** @type {any} */ (null));
  const { text, type, show, latest } = useDraft(currentUser, conversation);
  const attachments = useRef(/** @type {ReturnType<typeof showAttachments>} */ (null));
  useLayoutEffect(() => {
    attachments.current = showAttachments(currentUser, conversation);
  }, [currentUser, conversation]);
  const attached = useClientValue("attachments", NOTHING_ATTACHED);
  const known = contextSourcesOf === conversation ? contextSources : NONE;
  const isTaken = (id) => [...attached.chips, ...known].some((item) => item.id === id);
  const onPick = (choice) => attachments.current?.pick(choice);
  const place = usePlaced(field, type);
  const showBoth = (value) => place(value, field.current.selectionStart, document.activeElement === field.current);
  useDraftSync({ currentUser, conversation, text, show, showBoth, loaded: draft, saved: draftSaved, onLoad: onLoadDraft, onSave: onSaveDraft });
  const context = useContextPicker({ text, place, choices, searched, isTaken, onFind, onPick });
  const slash = usePrompts({ text, field, conversation, place }, prompts);
  const listed = [context, slash].find((picker) => picker.isListed);
  const both = (does) => [context, slash].forEach(does);
  useGrowth(field, text);
  const isReady = usePublished(text, attached);
  useInsertion(field, latest, place, conversation);
  const paste = usePaste();
  sendShown = () => {
    if (!isReady) return stopDictation();
    const { selectionStart, selectionEnd } = field.current;
    const spoken = endDictation();
    const said = spoken ? withInserted(text, selectionStart, selectionEnd, spoken, true).text : text;
    if (send(currentUser, conversation, said, attachments.current)) show("");
    return undefined;
  };
  const onKeyDown = (event) => {
    paste.pressed(event);
    if (isComposing(event) || context.onKey(event) || slash.onKey(event)) return;
    if (event.key !== "Enter" || event.shiftKey || event.altKey) return;
    if (browserPreference("send_key") === "ctrl_enter" && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    sendShown();
  };
  const onChange = (event) => {
    both((picker) => picker.typed(event.target.selectionStart));
    type(event.target.value);
  };
  return (
    <textarea
      ref={field}
      id="composer"
      rows={1}
      dir="auto"
      value={text}
      aria-label="Message"
      placeholder={model ? `Ask ${model} anything` : "Ask anything"}
      aria-autocomplete="list"
      aria-haspopup="listbox"
      aria-controls={listed?.list}
      aria-activedescendant={listed?.active}
      onChange={onChange}
      onKeyDown={onKeyDown}
      onPaste={paste.onPaste}
      onSelect={(event) => both((picker) => picker.typed(event.currentTarget.selectionStart))}
      onFocus={() => both((picker) => picker.setHere(true))}
      onBlur={() => both((picker) => picker.setHere(false))}
    />
  );
}
