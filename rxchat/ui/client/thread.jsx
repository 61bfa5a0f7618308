// The thread. In JavaScript, since it follows a growing text and keeps the reader's place: both need the browser's measures.
import { Children, memo, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useParams, useSearchParams } from "react-router";
import { ArrowDown } from "lucide-react";
import { AssistantMessage, loadMarkdown, UserMessage } from "./message.jsx";
import { isHere as isShown, store, useThread } from "./page-state.js";
import { olderBefore } from "./thread-state.js";
import { ErrorBoundary } from "./error-boundary.jsx";

const NEAR_END = 48;
const NEAR_START = 600;
const LATE_MS = 3000;
/** By these the reader moves in the thread. */
const MOVES = ["wheel", "touchmove", "pointerdown", "keydown"];
const BUSY = "RxChat is busy. Your message is in the queue.";

/** An element that stays where it is on the screen, whatever changes around it, until the reader moves. */
function usePin(box) {
  const pinned = useRef(/** @type {{ element: Element, top: number } | null} */ (null));
  const release = useCallback(() => {
    pinned.current = null;
  }, []);
  useEffect(() => {
    for (const kind of MOVES) box.current.addEventListener(kind, release, { passive: true });
  }, []);
  /** @param {Element} element */
  const set = (element) => {
    pinned.current = { element, top: element.getBoundingClientRect().top };
  };
  /** Scroll it back to its place; false if there is none. */
  const hold = () => {
    const held = pinned.current;
    if (!held?.element.isConnected) return false;
    box.current.scrollTop += held.element.getBoundingClientRect().top - held.top;
    return true;
  };
  return { set, hold, release, isSet: () => !!pinned.current };
}

/** Follow the end while the reader is there; keep their place when older messages are put above it. */
function useReadingPlace(view) {
  const box = useRef(/** @type {any} */ (null));
  const content = useRef(/** @type {any} */ (null));
  const isFollowing = useRef(true);
  const [isAway, setAway] = useState(false);
  const before = useRef({ first: undefined, height: 0, top: 0 });
  const pinned = usePin(box);

  const toEnd = useCallback((isSmooth) => {
    const element = box.current;
    if (!element) return;
    isFollowing.current = true;
    pinned.release();
    setAway(false);
    element.scrollTo({
      top: element.scrollHeight,
      behavior: isSmooth ? "smooth" : "instant",
    });
  }, []);

  /** Show a page that is no conversation from its top. */
  const toStart = useCallback(() => {
    isFollowing.current = false;
    setAway(false);
    box.current.scrollTop = 0;
    before.current.top = 0;
  }, []);

  useEffect(() => {
    // Measured after the browser's own layout: asking for a size after each change of the page would cause one more.
    const follow = new ResizeObserver(() => {
      const element = box.current;
      if (!element) return;
      if (!pinned.hold() && isFollowing.current) element.scrollTop = element.scrollHeight;
      Object.assign(before.current, {
        height: element.scrollHeight,
        top: element.scrollTop,
      });
    });
    follow.observe(content.current);
    follow.observe(box.current);
    return () => follow.disconnect();
  }, []);

  const first = view.messages[0]?.id;
  useLayoutEffect(() => {
    const element = box.current;
    const { first: last, height, top } = before.current;
    const isPrepended = last !== undefined && first !== last && view.messages.some((message) => message.id === last);
    before.current.first = first;
    if (!isPrepended || isFollowing.current) return;
    element.scrollTop = top + element.scrollHeight - height;
    Object.assign(before.current, {
      height: element.scrollHeight,
      top: element.scrollTop,
    });
  }, [first]);

  const onScroll = () => {
    const element = box.current;
    const distance = element.scrollHeight - element.clientHeight - element.scrollTop;
    const wentUp = element.scrollTop < before.current.top - 1;
    before.current.top = element.scrollTop;
    before.current.height = element.scrollHeight;
    if (pinned.isSet()) isFollowing.current = false;
    else if (distance <= NEAR_END) isFollowing.current = true;
    else if (wentUp) isFollowing.current = false;
    setAway(!isFollowing.current && distance > NEAR_END * 2);
  };
  return { box, content, isAway, isFollowing, toStart, toEnd, pin: pinned.set, onScroll };
}

/** Show the message that the address names (`?m=`) once it is here; then the address is that of the conversation again. */
function useWanted(view, isHere, place) {
  const [search, setSearch] = useSearchParams();
  const wanted = search.get("m");
  const waited = useRef({ wanted: "", messages: /** @type {any} */ (null) });
  useLayoutEffect(() => {
    if (!wanted || !isHere) return;
    const element = document.getElementById(`message-${wanted}`);
    const isTooEarly = waited.current.wanted !== wanted || waited.current.messages === view.messages;
    waited.current = { wanted, messages: view.messages };
    if (!element && isTooEarly) return;
    if (element) {
      element.scrollIntoView({ block: "start" });
      element.classList.add("is-found");
      element.addEventListener("animationend", () => element.classList.remove("is-found"), { once: true });
      place.pin(element);
    }
    waited.current.wanted = "";
    setSearch(
      (given) => {
        given.delete("m");
        return given;
      },
      { replace: true },
    );
  }, [view.messages, isHere, wanted]);
}

/** When a run began by this browser's clock: the server's clock may be wrong by minutes. */
function useRun(run) {
  const [began, setBegan] = useState({ id: "", at: 0 });
  if (run.id !== began.id) {
    const age = Date.now() - run.started;
    setBegan({
      id: run.id,
      at: run.id ? Date.now() - (age > 2000 && age < 3600000 ? age : 0) : 0,
    });
  }
  return { ...run, began: began.at };
}

/** Whether a message has been on its way for so long that the server must have much to do. */
function useIsLate(isOnItsWay) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!isOnItsWay) return undefined;
    const timer = setTimeout(() => setLate(true), LATE_MS);
    return () => clearTimeout(timer);
  }, [isOnItsWay]);
  return isOnItsWay && isLate;
}

/** What a screen reader announces: the beginning and the end of an answer, not each word. */
const ENDINGS = { done: "The answer is complete.", stopped: "The answer was stopped.", failed: "The answer failed.", interrupted: "The answer was cut off." };

function Announcer({ messages }) {
  const [said, setSaid] = useState("");
  const watched = useRef("");
  useEffect(() => {
    const running = messages.find((message) => message.state === "running");
    const before = messages.find((message) => message.id === watched.current);
    const words = [];
    if (before && before.id !== running?.id) words.push(ENDINGS[before.state]);
    if (running && running.id !== watched.current) words.push("The model is answering.");
    if (words.length) setSaid(words.join(" "));
    watched.current = running?.id ?? "";
  }, [messages]);
  return (
    <p className="sr-only" role="status">
      {said}
    </p>
  );
}

/** @type {import("react").NamedExoticComponent<Record<string, any>>} */
const Turn = memo(({ message, ...rest }) => {
  return message.role === "user" ? <UserMessage message={message} {...rest} /> : <AssistantMessage message={message} {...rest} />;
});
Turn.displayName = "Turn";

function Turns({ view, run, model, ...actions }) {
  const isLate = useIsLate(view.pending.length > 0 && !run.state);
  const isAnswering = view.messages.some((message) => message.state === "running");
  const isWaiting = !isAnswering && (run.state === "waiting" || view.pending.length > 0);
  return (
    <>
      {view.messages.map((message) => (
        // Versions share a key: the buttons that lead from one to the next keep the focus.
        <ErrorBoundary key={message.versions?.[0] ?? message.id} fallback={<p className="message-status">This message cannot be shown.</p>}>
          <Turn message={message} run={message.state === "running" ? run : undefined} {...actions} />
        </ErrorBoundary>
      ))}
      {view.pending.map((sent) => (
        <UserMessage
          key={sent.id}
          message={{
            ...sent,
            attachments: sent.attached?.chips.map((chip) => ({
              ...chip,
              is_there: true,
            })),
          }}
          isOnItsWay
        />
      ))}
      {isWaiting && <AssistantMessage message={{ id: "", model, state: "running" }} run={{ note: isLate ? BUSY : run.note }} />}
    </>
  );
}

export function Thread({ run: given, model, onOlder, onVersion, children, ...actions }) {
  const view = useThread();
  const { conversation_id: expected = "" } = useParams();
  const [emptyPage, loading] = Children.toArray(children);
  const run = useRun(given);
  const place = useReadingPlace(view);
  const isHere = isShown(view.tag, expected);
  const isEmpty = !expected && !(isHere && (view.messages.length || view.pending.length));
  const pendingCount = view.pending.length;

  useEffect(() => void loadMarkdown(), []);
  useLayoutEffect(() => (isEmpty ? place.toStart() : place.toEnd(false)), [expected, isHere, isEmpty]);
  useLayoutEffect(() => {
    if (pendingCount) place.toEnd(false);
  }, [pendingCount]);

  const showVersion = useCallback(
    (id, button) => {
      place.pin(button.closest("article"));
      onVersion(id);
    },
    [onVersion],
  );

  useWanted(view, isHere, place);

  const askOlder = useCallback(() => {
    const element = place.box.current;
    if (!element || element.scrollTop > NEAR_START) return;
    const before = olderBefore(store.state());
    if (!before) return;
    store.dispatch({ type: "older" });
    onOlder(before);
  }, [onOlder]);
  // A short page never scrolls: ask again until it is filled or there is nothing older.
  useEffect(() => {
    const element = place.box.current;
    if (isHere && element.scrollHeight <= element.clientHeight + 1) askOlder();
  }, [isHere, view.messages]);

  return (
    <div className="thread-area">
      <div
        ref={place.box}
        className="thread-scroll"
        tabIndex={-1}
        onScroll={() => {
          place.onScroll();
          if (!place.isFollowing.current) askOlder();
        }}
      >
        <div ref={place.content} className="thread" role="log" aria-live="off" aria-label="Conversation">
          {isEmpty && emptyPage}
          {!isEmpty && !isHere && loading}
          {!isEmpty && isHere && <Turns view={view} run={run} model={model} {...actions} onVersion={showVersion} />}
        </div>
      </div>
      {view.loadingOlder && <p className="loading-older">Loading older messages…</p>}
      {place.isAway && !isEmpty && (
        <button type="button" className="pill" onClick={() => place.toEnd(true)}>
          <ArrowDown size={15} aria-hidden="true" /> {run.state ? "New text below" : "Scroll to the end"}
        </button>
      )}
      <Announcer messages={view.messages} />
    </div>
  );
}
