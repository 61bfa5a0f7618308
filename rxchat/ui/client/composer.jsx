// Where the person writes. What is typed here is never lost: see drafts.js.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useParams } from "react-router";
import { ArrowUp, Paperclip, Square } from "lucide-react";
import { Chips } from "./attach-chips.jsx";
import { DropZone } from "./attach-drop.jsx";
import { useAttachments } from "./attach-page.js";
import { attachedWords, isComing, isSameAttached, isThere, pastedFiles } from "./attach-state.js";
import { isComposing } from "./composition.js";
import { IconButton } from "./controls.jsx";
import { ContextSourceLine } from "./context-source-line.jsx";
import { drafts, offered, refusal, returned, thread } from "./page-state.js";
import { usePicker } from "./pick-list.jsx";
import { newId, tooLong } from "./words.js";

const coarse = () => matchMedia("(pointer: coarse)").matches;

/** The box is as high as its text, up to 40 % of the window; then it scrolls. */
function useGrowth(field, text) {
  useLayoutEffect(() => {
    const element = field.current;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
}

/** The text, its draft in the browser, and what others put into it. */
function useDraft(currentUser, conversation, field) {
  const [text, setText] = useState("");
  const latest = useRef("");
  const show = useCallback((value) => {
    latest.current = value;
    setText(value);
  }, []);

  const isLoadedFor = useRef(null);
  useEffect(() => {
    if (!currentUser) return;
    const key = `${currentUser}:${conversation}`;
    if (isLoadedFor.current === key) return;
    isLoadedFor.current = key;
    if (conversation && thread.view().born) drafts.move(currentUser, conversation);
    const stored = drafts.load(currentUser, conversation);
    if (stored !== latest.current) show(stored);
    // Sent before the page was loaded, and perhaps never heard: it goes out again, under the same id.
    const sent = drafts.unsettled(currentUser, conversation);
    if (sent && !(thread.view().tag === conversation && thread.has(sent.id))) {
      thread.doubt(sent.id);
      thread.sent(sent.id, sent.text, sent.attached);
    }
    refusal.set(null);
    returned.set(null);
    if (!coarse()) field.current?.focus();
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
    const kept = offer.isReturned ? latest.current : "";
    const value = [offer.text, kept].filter(Boolean).join("\n\n");
    show(value);
    drafts.type(currentUser, conversation, value);
    field.current?.focus();
  }, [offer]);

  const type = (value) => {
    show(value);
    refusal.set(null);
    drafts.type(currentUser, conversation, value);
  };
  return { text, type, show };
}

function Hint({ problem, text, chips }) {
  const count = tooLong(text);
  const sentence = count || problem;
  const about = attachedWords(chips);
  return (
    <p className="composer-hint" data-problem={!!sentence || undefined} data-about={!!about || undefined} role={sentence ? "alert" : about ? "status" : undefined}>
      {sentence || about || <>AI can make mistakes. Check important information.<span className="hint-keys"> Type <kbd>#</kbd> to ask about your documents.</span></>}
    </p>
  );
}

/** The paperclip, and the browser's own choice of files behind it. */
function AttachButton({ chooser, isReady, onFiles }) {
  const choose = (event) => {
    // The list is emptied with its field, so it is copied before: the same file may be chosen again.
    const files = [...event.target.files];
    event.target.value = "";
    if (files.length) onFiles(files);
  };
  return (
    <>
      <IconButton icon={Paperclip} label="Attach files" side="bottom" className="attach" disabled={!isReady} onClick={() => chooser.current.click()} />
      <input ref={chooser} type="file" multiple hidden data-attach="" onChange={choose} />
    </>
  );
}

function SendButton({ isRunning, isBlocked, isComingStill }) {
  const label = isComingStill ? "A file is still being uploaded" : isRunning ? "Send when the answer is done" : "Send";
  const tip = isComingStill ? label : isRunning ? "Send when this is done · Enter" : "Send · Enter";
  return (
    <button type="submit" className="send" aria-label={label} data-tip={tip} data-tip-side="top" data-waits={isComingStill || undefined} disabled={isBlocked}>
      <ArrowUp size={18} strokeWidth={2.25} aria-hidden="true" />
    </button>
  );
}

export function Composer({ run, model, currentUser, contextSources, contextSourcesOf, choices, searched, onStop, onFind, onDetach }) {
  const { conversation_id: conversation = "" } = useParams();
  const field = useRef(null);
  const chooser = useRef(null);
  const { text, type, show } = useDraft(currentUser, conversation, field);
  const [chips, attachments] = useAttachments(currentUser, conversation);
  const known = contextSourcesOf === conversation ? contextSources : [];
  const isTaken = (id) => [...chips, ...known].some((item) => item.id === id);
  const picker = usePicker({ text, field, choices, searched, isTaken, onFind, onPick: (choice) => attachments?.pick(choice), onType: type });
  const problem = refusal.use();
  const [isStopping, setStopping] = useState(false);
  useGrowth(field, text);
  const isRunning = !!run.state;
  const isComingStill = chips.some(isComing);
  const isSomething = !!text.trim() || chips.some(isThere);
  const isBlocked = !isSomething || !!tooLong(text) || isComingStill;
  useEffect(() => setStopping(false), [run.id, run.state]);

  const send = () => {
    if (isBlocked) return;
    if (thread.onItsWay().length) {
      refusal.set("Your last message is still being sent. Send this one afterwards.");
      return;
    }
    const back = returned.get();
    const attached = attachments?.attached();
    const isUnchanged = back && back.text.trim() === text.trim() && isSameAttached(back.attached, attached);
    const id = isUnchanged ? back.id : newId();
    returned.set(null);
    // As the server stores it: what surrounds it is not counted, and does not travel.
    drafts.send(currentUser, conversation, id, text.trim(), attached);
    attachments?.clear();
    thread.sent(id, text.trim(), attached);
    show("");
    refusal.set(null);
  };
  const attach = (files) => {
    refusal.set(null);
    attachments?.add(files);
    field.current?.focus();
  };
  const stop = () => {
    setStopping(true);
    onStop(run.id);
  };
  const onKeyDown = (event) => {
    if (isComposing(event) || picker.onKey(event)) return;
    if (event.key !== "Enter" || event.shiftKey || event.altKey) return;
    event.preventDefault();
    send();
  };
  const onPaste = (event) => {
    const files = pastedFiles(event.clipboardData);
    if (!files.length) return;
    event.preventDefault();
    attach(files);
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <DropZone onFiles={attach} />
      <ContextSourceLine attached={contextSources} of={contextSourcesOf} onDetach={onDetach} />
      <div className="composer-box" onClick={(event) => event.target === event.currentTarget && field.current.focus()}>
        {picker.list}
        <Chips chips={chips} onRemove={(key) => attachments.remove(key)} onRetry={(key) => attachments.retry(key)} onChoose={() => chooser.current.click()} />
        <AttachButton chooser={chooser} isReady={!!attachments} onFiles={attach} />
        <textarea
          ref={field}
          id="composer"
          rows={1}
          dir="auto"
          value={text}
          aria-label="Message"
          placeholder={model ? `Ask ${model} anything` : "Ask anything"}
          onChange={(event) => {
            picker.typed(event.target.selectionStart);
            type(event.target.value);
          }}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          {...picker.field}
        />
        {isRunning && (
          <button type="button" className="send is-stop" aria-label="Stop the answer" data-tip="Stop" data-tip-side="top" disabled={isStopping} onClick={stop}>
            <Square size={13} fill="currentColor" aria-hidden="true" />
          </button>
        )}
        {(!isRunning || isSomething) && <SendButton isRunning={isRunning} isBlocked={isBlocked} isComingStill={isComingStill} />}
      </div>
      <Hint problem={problem} text={text} chips={chips} />
    </form>
  );
}
