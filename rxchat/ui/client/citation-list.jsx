// What an answer cites, listed under it: drawn with the streamed message, which React draws (decision 0001).
import { ChevronRight, FileText } from "lucide-react";
import { useId, useState } from "react";
import { Link } from "react-router";
import { sourcesOf } from "./citation-card.js";
import { followBeside } from "./viewer-beside.jsx";
import { counted } from "./words.js";

function Line({ source: { number, name, place, to } }) {
  return (
    <li>
      <span className="citation" aria-hidden="true">
        {number}
      </span>
      <FileText size={15} strokeWidth={1.75} aria-hidden="true" />
      <span className="source-words">
        {to ? (
          <Link to={to} onClick={followBeside}>
            {name}
          </Link>
        ) : (
          <span>{name}</span>
        )}
        {place && <span className="source-place">{place}</span>}
      </span>
    </li>
  );
}

function Lines({ sources }) {
  const cited = sources.filter((source) => source.is_cited);
  const others = counted(sources.length - cited.length, cited.length ? "more passage" : "passage");
  return (
    <>
      <ol>
        {cited.map((source) => (
          <Line key={source.number} source={source} />
        ))}
      </ol>
      {sources.length > cited.length && <p>{cited.length ? `The model also saw ${others}.` : `The model saw ${others} and cited none.`}</p>}
    </>
  );
}

export function Sources({ message: { citations, id: message } }) {
  const [isOpen, setOpen] = useState(false);
  const [answer, setAnswer] = useState(/** @type {any} */ ({}));
  const id = useId();
  const count = new Set(citations.filter(({ verified }) => verified).map(({ number }) => number)).size;
  const toggle = () => {
    setOpen(!isOpen);
    if (!isOpen) sourcesOf({ citations, message }).then(setAnswer);
  };
  return (
    <div className="sources">
      <button type="button" aria-expanded={isOpen} aria-controls={isOpen ? id : undefined} onClick={toggle}>
        <ChevronRight size={14} aria-hidden="true" />
        {count ? counted(count, "source") : "Sources"}
      </button>
      {isOpen && (
        <div id={id} className="sources-list">
          {answer.data ? <Lines sources={answer.data.sources} /> : <p role={answer.problem ? "alert" : "status"}>{answer.problem || "Loading the sources…"}</p>}
        </div>
      )}
    </div>
  );
}
