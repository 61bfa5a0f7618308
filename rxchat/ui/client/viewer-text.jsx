// The text of a document, as it was read: never as a page, whatever it holds. Long ones come in pieces around the passage.
import { useEffect, useRef, useState } from "react";
import { Problem } from "./form-parts.jsx";
import { points, splitAt, utf16Index } from "./viewer-passage.js";

const STEP = 50_000;
const FIXED = ["text/csv", "text/tab-separated-values", "application/json", "application/jsonl"];

export function TextView({ piece, passage, load }) {
  const { document: facts, characters } = piece;
  const [shown, setShown] = useState({ start: piece.start, text: piece.text });
  const [problem, setProblem] = useState("");
  const mark = useRef(null);
  const end = shown.start + points(shown.text);
  useEffect(() => {
    mark.current?.scrollIntoView({ block: "center" });
  }, [passage.start, passage.end]);
  const fetchFrom = async (start, join) => {
    const { data, problem: refused } = await load(facts.id, start);
    setProblem(refused ?? "");
    if (data) setShown((before) => join(before, data.text));
  };
  const before = () => {
    const start = Math.max(0, shown.start - STEP);
    fetchFrom(start, (now, text) => ({ start, text: text.slice(0, utf16Index(text, now.start - start)) + now.text }));
  };
  const more = () => fetchFrom(end, (now, text) => ({ ...now, text: now.text + text }));
  if (!characters) return <p className="documents-none">{facts.state === "ready" ? "There is no text in this document." : "No text yet: the document is still being processed."}</p>;
  const isHere = passage.end > passage.start && passage.start >= shown.start;
  const [ahead, marked, behind] = isHere ? splitAt(shown.text, passage.start - shown.start, passage.end - shown.start) : [shown.text, "", ""];
  return (
    <div className={`viewer-text${FIXED.includes(facts.media_type) ? " is-fixed" : ""}`}>
      {shown.start > 0 && <div className="viewer-more"><button type="button" className="button-quiet" onClick={before}>Show earlier text</button></div>}
      <div className="viewer-words">{ahead}{marked && <mark ref={mark} className="passage">{marked}</mark>}{behind}</div>
      <Problem>{problem}</Problem>
      {end < characters && <div className="viewer-more"><button type="button" className="button-quiet" onClick={more}>Show more</button></div>}
    </div>
  );
}
