// A citation in an answer, a small number: React draws it deep inside the streamed markdown (decision 0001).
import { createContext, useContext, useEffect, useRef } from "react";
import { cardOf, hideCard, isShownFor, keepCard, leaveCard, showCard, sourcesOf } from "./citation-card.js";
import { openBeside } from "./viewer-beside.jsx";

const SOON_MS = 120;
const Answer = createContext(/** @type {{ citations: any[], message: string }} */ ({ citations: [], message: "" }));
/** Provides {citations, message} of the answer that the citations stand in. */
export const AnswerOf = Answer.Provider;

/** Hover, focus and touch show what the source says; a click opens its document there. */
export function CitationChip({ index }) {
  const answer = useContext(Answer);
  const citation = answer.citations[index];
  const chip = useRef(null);
  const pressedBy = useRef("");
  const { reason } = citation;
  const show = (delay = 0) => showCard(chip.current, index, answer, delay);
  useEffect(() => {
    const own = chip.current;
    return () => hideCard(own);
  }, []);

  const follow = async () => {
    // A finger cannot hover: its first press shows the card, which has a link.
    const isTouch = pressedBy.current === "touch";
    pressedBy.current = "";
    if (isTouch) return isShownFor(chip.current) ? hideCard() : show();
    keepCard();
    const { to } = cardOf(answer, index, await sourcesOf(answer));
    if (!to) return show();
    hideCard();
    return openBeside(to, chip.current);
  };
  return (
    <button
      ref={chip}
      type="button"
      className="citation"
      data-unverified={!citation.verified || undefined}
      aria-label={`Source ${citation.number}${reason ? `. ${reason}` : ""}`}
      onPointerDown={(event) => (pressedBy.current = event.pointerType)}
      onPointerEnter={(event) => event.pointerType !== "touch" && show(SOON_MS)}
      onPointerLeave={(event) => event.pointerType !== "touch" && leaveCard()}
      onKeyUp={(event) => event.key === "Tab" && show()}
      onBlur={leaveCard}
      onClick={follow}
    >
      {citation.number}
      {!citation.verified && <span aria-hidden="true">?</span>}
    </button>
  );
}
