// A citation in an answer: a small number; hover, focus and touch show what the source says, a click goes there.
import { useCallback, useEffect, useId, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { CitationCard } from "./citation-card.jsx";
import { useCitations, useSources } from "./citation-context.jsx";
import { canOpen, passageOf, reasonOf } from "./citation-marks.js";
import { useEscape } from "./escape.js";
import { viewerAddress } from "./viewer-address.js";

const SOON = 120;
const LATER = 220;

/** Open after a moment over the chip, and closed a moment after leaving both the chip and the card. */
function useOpening(look) {
  const [isOpen, setOpen] = useState(false);
  const timer = useRef(0);
  const set = useCallback((value, delay = 0) => {
    clearTimeout(timer.current);
    if (value) look();
    if (delay) timer.current = setTimeout(() => setOpen(value), delay);
    else setOpen(value);
  }, [look]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return [isOpen, set];
}

function useOutsidePress(isOpen, chip, id, close) {
  useEffect(() => {
    if (!isOpen) return undefined;
    const press = ({ target }) => {
      if (!chip.current?.contains(target) && !document.getElementById(id)?.contains(target)) close();
    };
    document.addEventListener("pointerdown", press);
    return () => document.removeEventListener("pointerdown", press);
  }, [isOpen]);
}

export function CitationChip({ index }) {
  const answer = useCitations();
  const citation = answer.citations[index];
  const { list, problem, look } = useSources(answer);
  const [isOpen, setOpen] = useOpening(look);
  const navigate = useNavigate();
  const chip = useRef(null);
  const pressedBy = useRef("");
  const id = useId();
  const close = () => setOpen(false);
  useEscape(isOpen, close);
  useOutsidePress(isOpen, chip, id, close);

  const follow = async () => {
    // A finger cannot hover: its first press shows the card, which has a link.
    const isTouch = pressedBy.current === "touch";
    pressedBy.current = "";
    if (isTouch) return setOpen(!isOpen);
    const found = (await look()).list?.find(({ number }) => number === citation.number);
    if (!canOpen(found)) return setOpen(true);
    close();
    return navigate(viewerAddress(passageOf(found, citation)));
  };
  const reason = reasonOf(citation);
  return (
    <>
      <button
        ref={chip}
        type="button"
        className="citation"
        data-unverified={!citation.verified || undefined}
        aria-label={`Source ${citation.number}${reason ? `. ${reason}` : ""}`}
        aria-describedby={isOpen ? id : undefined}
        onPointerDown={(event) => (pressedBy.current = event.pointerType)}
        onPointerEnter={(event) => event.pointerType !== "touch" && setOpen(true, SOON)}
        onPointerLeave={(event) => event.pointerType !== "touch" && setOpen(false, LATER)}
        onFocus={(event) => event.target.matches(":focus-visible") && setOpen(true)}
        onBlur={(event) => !document.getElementById(id)?.contains(event.relatedTarget) && setOpen(false, LATER)}
        onClick={follow}
      >
        {citation.number}{!citation.verified && <span aria-hidden="true">?</span>}
      </button>
      {isOpen && (
        <CitationCard
          id={id}
          anchor={chip}
          citation={citation}
          list={list}
          problem={problem}
          onLeave={close}
          onPointerEnter={() => setOpen(true)}
          onPointerLeave={(event) => event.pointerType !== "touch" && setOpen(false, LATER)}
        />
      )}
    </>
  );
}
