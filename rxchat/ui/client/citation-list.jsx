// What an answer cites, listed under it: drawn with the streamed message, which React draws (decision 0001).
import { useId, useState } from "react";
import { Link } from "react-router";
import { ChevronRight, FileText } from "lucide-react";
import { useSources } from "./citation-context.jsx";
import { canOpen, passageOf, placeOf } from "./citation-marks.js";
import { viewerAddress } from "./viewer-address.js";

const HIDDEN = "A document that you no longer have access to";

function Line({ source, citation }) {
  const name = source.is_allowed ? source.name : HIDDEN;
  const place = [placeOf(source), source.is_allowed && !source.is_there && "deleted"].filter(Boolean).join(" · ");
  return (
    <li>
      <span className="citation" aria-hidden="true">
        {source.number}
      </span>
      <FileText size={15} strokeWidth={1.75} aria-hidden="true" />
      <span className="source-words">
        {canOpen(source) ? <Link to={viewerAddress(passageOf(source, citation))}>{name}</Link> : <span>{name}</span>}
        {place && <span className="source-place">{place}</span>}
      </span>
    </li>
  );
}

function List({ list, citations }) {
  const cited = list.filter(({ is_cited: isCited }) => isCited);
  const others = list.length - cited.length;
  return (
    <>
      <ol>
        {cited.map((source) => (
          <Line key={source.number} source={source} citation={citations.find(({ number, verified }) => verified && number === source.number)} />
        ))}
      </ol>
      {others > 0 && (
        <p className="sources-rest">
          {cited.length
            ? `The model also saw ${others} more ${others === 1 ? "passage" : "passages"}.`
            : `The model saw ${others} ${others === 1 ? "passage" : "passages"} and cited none.`}
        </p>
      )}
    </>
  );
}

export function Sources({ message }) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const { list, problem, look } = useSources({ citations: message.citations, message: message.id });
  const count = new Set(message.citations.filter(({ verified }) => verified).map(({ number }) => number)).size;
  const toggle = () => {
    if (!isOpen) look();
    setOpen(!isOpen);
  };
  return (
    <div className="sources">
      <button type="button" aria-expanded={isOpen} aria-controls={isOpen ? id : undefined} onClick={toggle}>
        <ChevronRight size={14} aria-hidden="true" />
        {count === 0 ? "Sources" : count === 1 ? "1 source" : `${count} sources`}
      </button>
      {isOpen && (
        <div id={id} className="sources-list">
          {list && <List list={list} citations={message.citations} />}
          {!list && <p role={problem ? "alert" : "status"}>{problem || "Loading the sources…"}</p>}
        </div>
      )}
    </div>
  );
}
