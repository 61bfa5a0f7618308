// Try a query: what would be found in a collection, in which order and why, as answers find it.
import { useEffect, useState } from "react";
import { Link } from "react-router";
import { Search } from "lucide-react";
import { ask } from "./backend.js";
import { foundWords, shownParts } from "./documents-words.js";
import { Problem } from "./form-parts.jsx";
import { viewerAddress } from "./viewer-address.js";

const addressOf = ({ document_id: documentId, start, end, page, text }) => viewerAddress({ documentId, start, end, page, quote: text });

// The last question in each collection, for whoever comes back from a passage to it; nothing of what was found is kept.
const lastQuestions = new Map();

/** What was asked last in a collection; "" when nothing was. */
export const lastQuestion = (collectionId) => lastQuestions.get(collectionId) ?? "";

function Found({ passage, rank, question }) {
  const { name, heading, page, score, text } = passage;
  const why = foundWords(passage);
  return (
    <li className="found">
      <Link to={addressOf(passage)} className="found-link">
        <span className="found-rank" aria-label={`Rank ${rank}`}>{rank}</span>
        <span className="found-words">
          <span className="found-name">
            <b>{name}</b>
            {page > 0 && <span>page {page}</span>}
          </span>
          {heading && <span className="found-heading">{heading}</span>}
          <span className="found-text">
            {shownParts(text, question).map((part, at) => (part.isMarked ? <mark key={at}>{part.text}</mark> : part.text))}
          </span>
          <span className="found-why">score {score.toFixed(4)}{why && ` · ${why}`}</span>
        </span>
      </Link>
    </li>
  );
}

const Searching = () => (
  <div className="skeleton documents-skeleton" role="status" aria-label="Searching">
    {[40, 100, 90, 45, 100, 84].map((width, at) => <i key={at} style={{ width: `${width}%` }} />)}
  </div>
);

function Answer({ answer }) {
  if (!answer) return null;
  const { question, passages, notice, problem } = answer;
  if (problem) return <Problem>{problem}</Problem>;
  return (
    <>
      {notice && <p className="document-note query-notice" role="status">{notice}</p>}
      <p className="sr-only" role="status">{passages.length} passages found</p>
      {passages.length
        ? <ol className="found-list">{passages.map((passage, at) => <Found key={`${passage.document_id}-${passage.ordinal}`} rank={at + 1} {...{ passage, question }} />)}</ol>
        : <p className="documents-none">No results. Other words may find more.</p>}
    </>
  );
}

/** `asked` is looked for at once. */
export function TryQuery({ collectionId, isEmpty, asked: first = "" }) {
  const [question, setQuestion] = useState(first);
  const [isBusy, setBusy] = useState(false);
  const [answer, setAnswer] = useState(null);
  const find = async (asked) => {
    setBusy(true);
    lastQuestions.set(collectionId, asked);
    const { data, problem } = await ask("POST", "/api/search", { question: asked, collections: [collectionId] });
    setBusy(false);
    setAnswer(problem ? { problem } : { question: asked, ...data });
  };
  const search = (event) => {
    event.preventDefault();
    if (question.trim() && !isBusy) find(question.trim());
  };
  useEffect(() => {
    if (first) find(first);
    // Only when it opens.
  }, []);
  return (
    <section className="try-query" aria-label="Test search">
      <form className="query-form" role="search" onSubmit={search}>
        <div className="search-box">
          <Search size={16} strokeWidth={1.75} aria-hidden="true" />
          <input type="search" aria-label="Question" placeholder="Enter a question as in a chat" value={question} maxLength={2000} onChange={(event) => setQuestion(event.target.value)} autoFocus />
        </div>
        <button type="submit" className="button-main" aria-disabled={isBusy || undefined}>Find</button>
      </form>
      {!answer && !isBusy && (
        <p className="query-lead">
          {isEmpty
            ? "Once a document is ready, you can search it here."
            : "Shows which passages a model would get for a question, best first, and why each one was found."}
        </p>
      )}
      {isBusy ? <Searching /> : <Answer answer={answer} />}
    </section>
  );
}
