// The card that a citation opens: what its source says, and where that stands.
import { useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { FileText } from "lucide-react";
import { Link } from "react-router";
import { canOpen, excerptOf, passageOf, placeOf, reasonOf } from "./citation-marks.js";
import { viewerAddress } from "./viewer-address.js";

const GAP = 8;
const LONGEST_QUOTE = 200;

/** Above or below the chip, wherever there is room, and inside the window. */
function usePlace(anchor, card, content) {
  const [place, setPlace] = useState({ left: 0, top: 0, isPlaced: false });
  useLayoutEffect(() => {
    const put = () => {
      const chip = anchor.current?.getBoundingClientRect();
      if (!chip || !card.current) return;
      const { width, height } = card.current.getBoundingClientRect();
      const below = innerHeight - chip.bottom - GAP;
      const top = below >= height || below > chip.top ? chip.bottom + GAP : chip.top - GAP - height;
      const left = Math.min(Math.max(GAP, chip.left + chip.width / 2 - width / 2), innerWidth - width - GAP);
      setPlace({ left, top: Math.max(GAP, Math.min(top, innerHeight - height - GAP)), isPlaced: true });
    };
    put();
    addEventListener("scroll", put, true);
    addEventListener("resize", put);
    return () => {
      removeEventListener("scroll", put, true);
      removeEventListener("resize", put);
    };
  }, [content]);
  return { left: place.left, top: place.top, visibility: place.isPlaced ? "visible" : "hidden" };
}

function Passage({ source, citation }) {
  const { before, quoted, after } = excerptOf(source, citation);
  return (
    <blockquote className="citation-passage" dir="auto">
      {before}{quoted && <mark>{quoted}</mark>}{after}
    </blockquote>
  );
}

function Source({ source, citation, onLeave }) {
  if (!source.is_allowed) return <p className="citation-note">You no longer have access to this document.</p>;
  return (
    <>
      <p className="citation-name"><FileText size={15} strokeWidth={1.75} aria-hidden="true" /><span>{source.name}</span></p>
      {placeOf(source) && <p className="citation-place">{placeOf(source)}</p>}
      {!source.is_there && <p className="citation-note">This document was deleted. This is its text at the time.</p>}
      <Passage source={source} citation={citation} />
      {canOpen(source) && <Link className="citation-open" to={viewerAddress(passageOf(source, citation))} onClick={onLeave}>Open document</Link>}
    </>
  );
}

const Missing = ({ quote }) => <span className="citation-note"> “{quote.slice(0, LONGEST_QUOTE)}{quote.length > LONGEST_QUOTE && "…"}”</span>;

export function CitationCard({ id, anchor, citation, list, problem, onLeave, ...pointer }) {
  const card = useRef(null);
  const source = list?.find(({ number }) => number === citation.number);
  const style = usePlace(anchor, card, `${!!list}${problem}`);
  const reason = reasonOf(citation);
  const isMissing = citation.reason === "no such source";
  return createPortal(
    <div ref={card} id={id} role="dialog" aria-label={`Source ${citation.number}`} className="citation-card" style={style} {...pointer}>
      {reason && <p className="citation-reason">{reason}{citation.reason === "not in the source" && <Missing quote={citation.quote} />}</p>}
      {source && <Source source={source} citation={citation} onLeave={onLeave} />}
      {!source && !isMissing && problem && <p className="citation-note" role="alert">{problem}</p>}
      {!source && !isMissing && !problem && !list && <p className="citation-note" role="status">Loading the source…</p>}
      {!source && !isMissing && list && <p className="citation-note">This source no longer exists.</p>}
    </div>,
    document.body,
  );
}
