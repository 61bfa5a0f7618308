// One message. In JavaScript, since an answer grows 28 times a second, and React must draw only what grew of it.
import { lazy, memo, Suspense, useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { ChevronRight, FileText, FileX, Library, RotateCcw, StepForward } from "lucide-react";
import { Sources } from "./citation-list.jsx";
import { MessageActions } from "./message-actions.jsx";
import { useText } from "./page-state.js";
import { ErrorBoundary } from "./error-boundary.jsx";
import { guessedRate, isPicture, spokenRate, spokenSeconds } from "./words.js";

export const loadMarkdown = () => import("./markdown.jsx");
const Markdown = lazy(loadMarkdown);
// A conversation's page needs it at once; the new-chat page only when it has time.
if (typeof location !== "undefined" && location.pathname.startsWith("/c/")) loadMarkdown();

/**
 * What was sent with a message: it opens, unless it was deleted or the reader may not read it.
 * @param {Record<string, any>} props
 */
function Attachment({ attachment: { id, kind, name, is_there: isThere } }) {
  const isCollection = kind === "collection";
  const Icon = isThere ? (isCollection ? Library : FileText) : FileX;
  const [isBroken, setBroken] = useState(false);
  if (isThere && !isCollection && !isBroken && isPicture(name)) {
    return (
      <li className="attached-picture">
        <Link to={`/documents/view/${id}`}>
          <img src={`/api/files/${id}/picture`} alt={name} loading="lazy" onError={() => setBroken(true)} />
        </Link>
      </li>
    );
  }
  const gone = name ? `${name} · deleted` : "A file that you cannot open";
  return (
    <li className="attachment" data-kind={kind}>
      <Icon size={16} strokeWidth={1.75} aria-hidden="true" />
      {isThere ? (
        <Link className="attachment-name" to={`/documents/${isCollection ? "" : "view/"}${id}`}>
          {name}
        </Link>
      ) : (
        <span className="attachment-said">{gone}</span>
      )}
    </li>
  );
}

/**
 * Long pasted text is folded, and unfolds where it is.
 * @type {import("react").NamedExoticComponent<Record<string, any>>}
 */
export const UserMessage = memo(({ message, isOnItsWay, ...actions }) => {
  const { text, attachments } = message;
  const [isOpen, setOpen] = useState(false);
  const [isLong, setLong] = useState(false);
  const body = useRef(/** @type {HTMLDivElement | null} */ (null));
  useEffect(() => {
    const element = body.current;
    if (element && !isOpen) setLong(element.scrollHeight > element.clientHeight + 4);
  }, [text, isOpen]);
  return (
    <article aria-label="You" id={`message-${message.id}`} className={`message-user ${isOnItsWay ? "is-muted" : ""}`}>
      {!!attachments?.length && (
        <ul className="attachment-all" aria-label="Attached">
          {attachments.map((attachment) => (
            <Attachment key={attachment.id} attachment={attachment} />
          ))}
        </ul>
      )}
      <div className="bubble" hidden={!text}>
        <div ref={body} dir="auto" className="bubble-text" data-folded={!isOpen || undefined}>
          {text}
        </div>
        {isLong && (
          <button type="button" className="fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? "Show less" : "Show more"}
          </button>
        )}
      </div>
      {!isOnItsWay && (
        <div className="message-foot">
          <MessageActions message={message} {...actions} />
        </div>
      )}
    </article>
  );
});
UserMessage.displayName = "UserMessage";

const TypingIndicator = ({ note }) => (
  <div className="typing">
    <span className="dots" aria-hidden="true">
      <i />
      <i />
      <i />
    </span>
    {note && <span className="typing-note">{note}</span>}
  </div>
);

/** How long a model thought is known when it was watched, or when the server says so. */
function useThinkingSeconds(message, reasoning, text) {
  const [seconds, setSeconds] = useState(message.reasoning_seconds ?? 0);
  const began = useRef(0);
  const isThinking = message.state === "running" && !!reasoning && !text;
  useEffect(() => {
    if (isThinking && !began.current) began.current = Date.now();
    if (!isThinking && began.current) {
      setSeconds((Date.now() - began.current) / 1000);
      began.current = 0;
    }
  }, [isThinking]);
  return [isThinking, seconds];
}

function Reasoning({ message, reasoning, text }) {
  const [isOpen, setOpen] = useState(false);
  const [isThinking, seconds] = useThinkingSeconds(message, reasoning, text);
  if (!reasoning) return null;
  const title = isThinking ? "Thinking…" : seconds ? `Thought for ${spokenSeconds(seconds)}` : "Thought before answering";
  return (
    <div className="reasoning">
      <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <ChevronRight size={14} aria-hidden="true" />
        <span className={isThinking ? "is-thinking" : ""}>{title}</span>
      </button>
      {isOpen && (
        <div className="reasoning-text" dir="auto">
          {reasoning}
        </div>
      )}
    </div>
  );
}

function GoOn({ message, onGoOn }) {
  if (!message.text) return null;
  return (
    <button type="button" className="button-quiet" onClick={() => onGoOn(message.id)}>
      <StepForward size={15} aria-hidden="true" /> Continue
    </button>
  );
}

function Outcome({ message, onRetry, onGoOn }) {
  if (message.state === "stopped") return <p className="message-status">Stopped {onRetry && <GoOn message={message} onGoOn={onGoOn} />}</p>;
  if (message.state !== "failed" && message.state !== "interrupted") return null;
  const fallback = message.state === "failed" ? "The answer failed." : "The answer was cut off.";
  return (
    <div className="failure" role="alert">
      <p>{message.error || fallback}</p>
      {onRetry && (
        <>
          <button type="button" className="button-quiet" onClick={() => onRetry(message.id)}>
            <RotateCcw size={15} aria-hidden="true" /> Retry
          </button>
          <GoOn message={message} onGoOn={onGoOn} />
        </>
      )}
    </div>
  );
}

function Figures({ message }) {
  const parts = [spokenSeconds(message.seconds), spokenRate(message.tokens_per_second)].filter(Boolean);
  if (!message.tokens || !parts.length) return null;
  return (
    <span className="stats" data-tip={`${message.tokens} tokens`}>
      {parts.join(" · ")}
    </span>
  );
}

/** Since `started`, a time by this browser's clock; drawn each second. */
function LiveFigures({ started, characters }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [started]);
  const seconds = Math.max(0, (now - started) / 1000);
  const rate = guessedRate(characters, seconds);
  if (!started) return null;
  return <span className="stats">{[`${Math.floor(seconds)} s`, rate && `about ${rate} tokens/s`].filter(Boolean).join(" · ")}</span>;
}

/**
 * The same parts before, while and after the answer comes, so that React remounts none of them at its end.
 * @type {import("react").NamedExoticComponent<Record<string, any>>}
 */
export const AssistantMessage = memo(({ message, run, onRetry, onGoOn, readOnly, onRegenerate, onVersion, onRate }) => {
  const { text, reasoning } = useText(message);
  const isRunning = message.state === "running";
  const citations = isRunning ? undefined : message.citations;
  const plain = <div className="md whitespace-pre-wrap">{text}</div>;
  return (
    <article
      aria-label={`${message.model || "The model"} answers`}
      id={`message-${message.id}`}
      aria-busy={isRunning}
      translate={isRunning ? "no" : undefined}
      className="message-answer"
    >
      <p className="message-model">{message.model}</p>
      <Reasoning key={message.id} message={message} reasoning={reasoning} text={text} />
      {text && (
        <Suspense fallback={plain}>
          <ErrorBoundary fallback={plain}>
            <Markdown text={text} isGrowing={isRunning} citations={citations} message={message.id} />
          </ErrorBoundary>
        </Suspense>
      )}
      {isRunning && !text && !reasoning && <TypingIndicator note={run?.note} />}
      {text && citations?.length > 0 && <Sources message={message} />}
      {!isRunning &&
        message.warnings?.map((warning) => (
          <p key={warning} className="message-status" dir="auto">
            {warning}
          </p>
        ))}
      {!isRunning && <Outcome message={message} onRetry={readOnly ? null : onRetry} onGoOn={onGoOn} />}
      <div className={`message-foot ${isRunning ? "is-live" : ""}`}>
        {isRunning && <LiveFigures started={run?.began} characters={text.length + reasoning.length} />}
        {!isRunning && (
          <MessageActions message={message} readOnly={readOnly} onRegenerate={onRegenerate} onVersion={onVersion} onRate={onRate}>
            <Figures message={message} />
          </MessageActions>
        )}
      </div>
    </article>
  );
});
AssistantMessage.displayName = "AssistantMessage";
