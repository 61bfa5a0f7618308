// Where the person writes. What is typed here is never lost: see drafts.js.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useParams } from "react-router";
import { ArrowUp, Square } from "lucide-react";
import { drafts, offered, refusal, returned, thread } from "./page-state.js";
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
function useDraft(viewer, conversation, field) {
  const [text, setText] = useState("");
  const latest = useRef("");
  const show = useCallback((value) => {
    latest.current = value;
    setText(value);
  }, []);

  const isLoadedFor = useRef(null);
  useEffect(() => {
    if (!viewer) return;
    const key = `${viewer}:${conversation}`;
    if (isLoadedFor.current === key) return;
    isLoadedFor.current = key;
    if (conversation && thread.view().born) drafts.move(viewer, conversation);
    const stored = drafts.load(viewer, conversation);
    if (stored !== latest.current) show(stored);
    // Sent before the page was loaded, and perhaps never heard: it goes out again, under the same id.
    const sent = drafts.unsettled(viewer, conversation);
    if (sent && !(thread.view().tag === conversation && thread.has(sent.id))) {
      thread.doubt(sent.id);
      thread.sent(sent.id, sent.text);
    }
    refusal.set(null);
    returned.set(null);
    if (!coarse()) field.current?.focus();
  }, [viewer, conversation]);

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
    drafts.type(viewer, conversation, value);
    field.current?.focus();
  }, [offer]);

  const type = (value) => {
    show(value);
    refusal.set(null);
    drafts.type(viewer, conversation, value);
  };
  return { text, type, show };
}

function Hint({ problem, text }) {
  const count = tooLong(text);
  const sentence = count || problem;
  return (
    <p className="composer-hint" data-problem={!!sentence || undefined} role={sentence ? "alert" : undefined}>
      {sentence || "Models make mistakes. Check what matters."}
    </p>
  );
}

/** A key press that belongs to an input method (Japanese, Chinese, ...) is not ours. */
const isComposing = (event) => event.nativeEvent.isComposing || event.keyCode === 229;

export function Composer({ run, model, viewer, onStop }) {
  const { conversation_id: conversation = "" } = useParams();
  const field = useRef(null);
  const { text, type, show } = useDraft(viewer, conversation, field);
  const problem = refusal.use();
  const [isStopping, setStopping] = useState(false);
  useGrowth(field, text);
  const isRunning = !!run.state;
  useEffect(() => setStopping(false), [run.id, run.state]);

  const send = () => {
    if (!text.trim() || tooLong(text)) return;
    if (thread.onItsWay().length) {
      refusal.set("Your last message is still on its way. Send this when it has arrived.");
      return;
    }
    const back = returned.get();
    const id = back && back.text.trim() === text.trim() ? back.id : newId();
    returned.set(null);
    // As the server stores it: what surrounds it is not counted, and does not travel.
    drafts.send(viewer, conversation, id, text.trim());
    thread.sent(id, text.trim());
    show("");
    refusal.set(null);
  };
  const stop = () => {
    setStopping(true);
    onStop(run.id);
  };
  const onKeyDown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.altKey || isComposing(event)) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="composer-box" onClick={(event) => event.target === event.currentTarget && field.current.focus()}>
        <textarea
          ref={field}
          id="composer"
          rows={1}
          dir="auto"
          value={text}
          aria-label="Message"
          placeholder={model ? `Ask ${model} anything` : "Ask anything"}
          onChange={(event) => type(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {isRunning && (
          <button type="button" className="send is-stop" aria-label="Stop the answer" data-tip="Stop" data-tip-side="top" disabled={isStopping} onClick={stop}>
            <Square size={13} fill="currentColor" aria-hidden="true" />
          </button>
        )}
        {(!isRunning || !!text.trim()) && (
          <button type="submit" className="send" aria-label={isRunning ? "Send when the answer is done" : "Send"} data-tip={isRunning ? "Send when this is done · Enter" : "Send · Enter"} data-tip-side="top" disabled={!text.trim() || !!tooLong(text)}>
            <ArrowUp size={18} strokeWidth={2.25} aria-hidden="true" />
          </button>
        )}
      </div>
      <Hint problem={problem} text={text} />
    </form>
  );
}
