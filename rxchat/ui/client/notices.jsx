// What happened elsewhere: the connection, the server's troubles, a deletion that can be undone.
import { useContext, useEffect, useRef, useState } from "react";
import { CloudOff, Eye, RefreshCw, TriangleAlert, X } from "lucide-react";
import { EventLoopContext } from "$/utils/context-registry";
import { IconButton } from "./controls.jsx";
import { problemToast, thread, undoToast } from "./page-state.js";

const CALM = 1200;
const UNDO_FOR = 8000;

/** Reflex lists failed attempts and empties the list on success; a short hiccup is not worth a word. */
function useIsAway() {
  const [, errors] = useContext(EventLoopContext) ?? [];
  const isFailing = (errors?.length ?? 0) > 0;
  const [isAway, setAway] = useState(false);
  useEffect(() => {
    if (!isFailing) {
      thread.forgetRequests();
      setAway(false);
      return undefined;
    }
    const timer = setTimeout(() => setAway(true), CALM);
    return () => clearTimeout(timer);
  }, [isFailing]);
  return isAway;
}

export function ConnectionNotice() {
  const isAway = useIsAway();
  return (
    <div role="status" className="contents">
      {isAway && (
        <p className="notice">
          <RefreshCw size={15} aria-hidden="true" className="spin" />
          <span>Reconnecting… Your text is kept, and answers continue on the server.</span>
        </p>
      )}
    </div>
  );
}

export function Banner({ problem, notice, readings }) {
  return (
    <div role="status" className="contents">
      {problem && (
        <p className="notice is-warning"><TriangleAlert size={15} aria-hidden="true" /><span>{problem}</span></p>
      )}
      {readings && (
        <p className="notice"><Eye size={15} aria-hidden="true" /><span>{readings} <a href="/account/data">Show details</a></span></p>
      )}
      {notice && (
        <p className="notice"><CloudOff size={15} aria-hidden="true" /><span>{notice}</span></p>
      )}
    </div>
  );
}

/** The toast goes by itself, but not while somebody is about to press Undo. */
function useTimeout(what, done) {
  const [isHeld, setHeld] = useState(false);
  const latest = useRef(done);
  latest.current = done;
  useEffect(() => {
    if (!what || isHeld) return undefined;
    const timer = setTimeout(() => latest.current(), UNDO_FOR);
    return () => clearTimeout(timer);
  }, [what, isHeld]);
  return {
    onMouseEnter: () => setHeld(true),
    onMouseLeave: () => setHeld(false),
    onFocus: () => setHeld(true),
    onBlur: () => setHeld(false),
  };
}

export function Toasts({ removedTitle, onUndo, onDismiss }) {
  const problem = problemToast.use();
  const hold = useTimeout(removedTitle, onDismiss);
  const holdProblem = useTimeout(problem, () => problemToast.set(""));
  const undoable = undoToast.use();
  const holdUndoable = useTimeout(undoable, () => undoToast.set(null));
  return (
    <div className="toasts" role="status">
      {removedTitle && (
        <div className="toast" {...hold}>
          <span className="toast-text">Deleted “{removedTitle}”</span>
          <button type="button" className="toast-action" onClick={onUndo}>Undo</button>
          <IconButton icon={X} size={15} label="Dismiss" side="top" className="small" onClick={onDismiss} />
        </div>
      )}
      {undoable && (
        <div className="toast" {...holdUndoable}>
          <span className="toast-text">{undoable.words}</span>
          <button type="button" className="toast-action" onClick={() => { undoToast.set(null); undoable.undo(); }}>Undo</button>
          <IconButton icon={X} size={15} label="Dismiss" side="top" className="small" onClick={() => undoToast.set(null)} />
        </div>
      )}
      {problem && (
        <div className="toast" {...holdProblem}>
          <span className="toast-text">{problem}</span>
          <IconButton icon={X} size={15} label="Dismiss" side="top" className="small" onClick={() => problemToast.set("")} />
        </div>
      )}
    </div>
  );
}
