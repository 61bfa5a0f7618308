// The buttons below a message. In JavaScript, as the message is; the menu and the dialogs are Python's (ui/chat/message_actions.py).
import { ChevronLeft, ChevronRight, Ellipsis, Pencil, RefreshCw, ThumbsDown, ThumbsUp } from "lucide-react";
import { setClientValue } from "./client-values.js";
import { focusComposer } from "./composer.jsx";
import { CopyButton } from "./copy.jsx";
import { shownTime } from "./moments.js";
import { store } from "./page-state.js";
import { newId } from "./words.js";

/** A message as Python's menu and dialogs know it, with the ID of a new version of it. */
const subjectOf = ({ id, role, text }) => ({
  id,
  role,
  text,
  client_id: newId(),
});

function Action({ label, Icon, ...rest }) {
  return (
    <button type="button" className="icon-button small" aria-label={label} data-tip={label} {...rest}>
      <Icon size={16} strokeWidth={1.75} aria-hidden="true" />
    </button>
  );
}

function Versions({ message: { id, versions = [] }, onVersion }) {
  if (versions.length < 2) return null;
  const at = versions.indexOf(id);
  // Not `disabled`: the keyboard stays at the arrow that leads no further.
  const step = (label, Icon, to) => <Action label={label} Icon={Icon} aria-disabled={!to} onClick={(event) => to && onVersion(to, event.currentTarget)} />;
  return (
    <span className="versions">
      {step("Earlier version", ChevronLeft, versions[at - 1])}
      <span role="status">
        <span className="sr-only">Version </span>
        {at + 1}/{versions.length}
      </span>
      {step("Later version", ChevronRight, versions[at + 1])}
    </span>
  );
}

function Time({ at }) {
  if (!at) return null;
  const [short, exact] = shownTime(at, Date.now());
  return (
    <time dateTime={new Date(at).toISOString()} title={exact}>
      {short}
    </time>
  );
}

/**
 * The thumbs: pressed again, one takes its rating back; the one for a bad answer asks for reasons.
 * @param {{ message: Record<string, any>, onRate: (id: string, rating: string) => void }} props
 */
function Ratings({ message: { id, feedback = {} }, onRate }) {
  const thumb = (rating, label, Icon) => {
    const isPressed = feedback.rating === rating;
    const press = () => {
      onRate(id, isPressed ? "" : rating);
      if (isPressed || rating === "good") return;
      setClientValue("message_dialog", { which: "explain", number: Date.now(), subject: { id, reasons: "", comment: "" } });
    };
    return <Action label={label} Icon={Icon} aria-pressed={isPressed} onClick={press} />;
  };
  return (
    <>
      {thumb("good", "Good answer", ThumbsUp)}
      {thumb("bad", "Bad answer", ThumbsDown)}
    </>
  );
}

/**
 * All of a message's buttons, and when it was written; `children` come last.
 * @param {Record<string, any>} props
 */
export function MessageActions({ message, readOnly, onRegenerate, onVersion, onRate, children = null }) {
  const isAnswer = message.role === "assistant";
  const edit = () => {
    // The rest of a long text may still be on its way.
    if (store.state().awaitsMore) return;
    setClientValue("message_dialog", {
      which: "question",
      number: Date.now(),
      subject: subjectOf(message),
    });
  };
  const regenerate = () => {
    onRegenerate(message.id);
    // The button goes with the answer that it replaces.
    focusComposer();
  };
  return (
    <>
      {message.text && <CopyButton text={message.text} label={isAnswer ? "Copy answer" : "Copy message"} className="icon-button small" />}
      {!readOnly && (
        <>
          {isAnswer && <Ratings message={message} onRate={onRate} />}
          {isAnswer ? <Action label="Answer again" Icon={RefreshCw} onClick={regenerate} /> : <Action label="Edit message" Icon={Pencil} onClick={edit} />}
          <Action
            label="More actions"
            Icon={Ellipsis}
            aria-haspopup="menu"
            popoverTarget="message-menu"
            onClick={() => setClientValue("message_menu", subjectOf(message))}
          />
          <Versions message={message} onVersion={onVersion} />
        </>
      )}
      <Time at={message.at} />
      {children}
    </>
  );
}
