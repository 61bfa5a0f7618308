// A document by itself: as it is, as its text, and as the index sees it; open at a passage when the address names one.
import { lazy, Suspense, useEffect, useState } from "react";
import { Link, useLocation, useNavigate, useParams } from "react-router";
import { ArrowLeft, Download } from "lucide-react";
import { address, ask } from "./backend.js";
import { stateWords } from "./documents-words.js";
import { spokenSize } from "./uploads.js";
import { counted } from "./words.js";
import { Problem } from "./form-parts.jsx";
import { Tabs } from "./tabs.jsx";
import { passageIn, viewerAddress } from "./viewer-address.js";
import { ChunksView } from "./viewer-chunks.jsx";
import { PictureView } from "./viewer-picture.jsx";
import { Reading } from "./viewer-reading.jsx";
import { CHANGED, PassageNote, PICTURED } from "./viewer-note.jsx";
import { splitAt } from "./viewer-passage.js";
import { LEAD } from "./viewer-pieces.js";
import { TextView } from "./viewer-text.jsx";
import { Versions } from "./viewer-versions.jsx";
import { useWhere } from "./viewer-where.js";

// PDF.js is large: only who opens a PDF loads it.
const PdfView = lazy(() => import("./viewer-pdf.jsx"));

const NO_TEXT = 100_000_000;
const GONE = "not_found";

const isPdf = ({ media_type: kind }) => kind === "application/pdf";
const isPicture = ({ media_type: kind }) => kind.startsWith("image/");

const fetchPiece = (id, start) => ask("GET", `/api/documents/${encodeURIComponent(id)}?start=${start}`);

/** Whether the text that is shown is perhaps not the one that is there now: read again, it may be as long as before. */
const isOtherText = (now, shown) =>
  now.characters !== shown?.characters || (now.document.state === "ready" && shown.document.state !== "ready");

/** A document with the piece of its text around the passage; it is looked at again whenever there is `news`. */
function useDocument(id, start, news) {
  const [found, setFound] = useState({});
  const [reads, setReads] = useState(0);
  useEffect(() => {
    let isOver = false;
    setFound((before) => (before.data?.document.id === id ? before : {}));
    fetchPiece(id, Math.max(0, start - LEAD)).then((answer) => !isOver && setFound(answer));
    return () => {
      isOver = true;
    };
  }, [id, start, reads]);
  const look = async () => {
    const answer = await fetchPiece(id, NO_TEXT);
    if (answer.code === GONE) setFound(answer);
    else if (answer.data && isOtherText(answer.data, found.data)) setReads((count) => count + 1);
    else if (answer.data) setFound((before) => (before.data ? { data: { ...before.data, document: answer.data.document } } : before));
  };
  useEffect(() => {
    if (news) look();
  }, [news]);
  useEffect(() => {
    const whenShown = () => document.visibilityState === "visible" && look();
    document.addEventListener("visibilitychange", whenShown);
    return () => document.removeEventListener("visibilitychange", whenShown);
  });
  return [found, () => setReads((count) => count + 1)];
}

const Skeleton = ({ label = "Loading the document" }) => (
  <div className="skeleton documents-skeleton viewer-skeleton" role="status" aria-label={label}>
    {[46, 100, 94, 100, 88, 100, 62].map((width, at) => <i key={at} style={{ width: `${width}%` }} />)}
  </div>
);

const Gone = () => (
  <section className="documents-welcome is-quiet" role="status">
    <h2>Document not found</h2>
    <p>This document was deleted, or is no longer shared with you.</p>
    <Link to="/documents" className="button-quiet">To your collections</Link>
  </section>
);

function Head({ facts, title, collection, isOwn, encodings, readers, news, onDone }) {
  const { id, name, size_bytes: size, pages, state } = facts;
  const said = [spokenSize(size), pages > 0 && counted(pages, "page"), state !== "ready" && stateWords({ ...facts, percent: Math.round(facts.progress * 100) })];
  return (
    <header className="viewer-head">
      {collection && <Link to={`/documents/${collection.id}`} className="back-link"><ArrowLeft size={15} aria-hidden="true" /> {collection.name}</Link>}
      <div className="viewer-title">
        <div>
          <h2>{name}</h2>
          <p className="collection-facts">{said.filter(Boolean).join(" · ")}</p>
          {title && title !== name && <p className="viewer-subtitle">{title}</p>}
          <Reading {...{ facts, encodings, readers, onDone }} isOwn={isOwn && facts.version_state !== "superseded"} />
          {facts.parent_id && (
            <p className="collection-facts">
              <span>{facts.version_state === "superseded" ? "Attached to an earlier version of an e-mail." : "Attached to an e-mail."}</span>
              <Link to={viewerAddress({ documentId: facts.parent_id })}>Open e-mail</Link>
            </p>
          )}
          <Versions {...{ facts, news }} />
        </div>
        <a className="button-quiet" href={address(`/api/files/${id}`)} download={name}><Download size={15} aria-hidden="true" /> Download</a>
      </div>
    </header>
  );
}

/** What the passage says, from the text or, where that is not there, as whoever named it quotes it. */
function wantedOf(piece, { start, end, quote }) {
  return (end > start && splitAt(piece.text, start - piece.start, end - piece.start)[1]) || quote;
}

function Shown({ facts, piece, passage, shown }) {
  const wanted = wantedOf(piece, passage);
  if (shown === "Document" && isPdf(facts)) {
    return <Suspense fallback={<Skeleton />}><PdfView documentId={facts.id} page={passage.page} near={passage.near} wanted={wanted} /></Suspense>;
  }
  if (shown === "Document" && isPicture(facts)) {
    return (
      <>
        {wanted && <PassageNote reason={PICTURED} says={wanted} />}
        <PictureView documentId={facts.id} name={facts.name} mediaType={facts.media_type} />
      </>
    );
  }
  return <TextView key={`${facts.id} ${piece.start} ${piece.characters} ${facts.state === "ready"}`} piece={piece} passage={passage} load={fetchPiece} />;
}

function Body({ data, asked, shown, onPassage }) {
  const { piece, passage, isChanged, isLooking } = useWhere(data, asked, (start) => fetchPiece(data.document.id, start));
  const facts = data.document;
  if (shown === "Passages") return <ChunksView documentId={facts.id} onPassage={onPassage} />;
  if (isLooking) return <Skeleton label="Looking for the passage" />;
  return (
    <>
      {isChanged && <PassageNote reason={CHANGED} says={asked.quote} />}
      <Shown {...{ facts, piece, passage, shown }} />
    </>
  );
}

/** A document, wherever it is shown. `passage` is {start, end, page, quote}, as its address names it; `onPassage` is told which one is to be shown. */
export function DocumentViewer({ documentId, passage, collections = [], news = 0, encodings = [], readers = [], onPassage }) {
  const [{ data, problem, code }, again] = useDocument(documentId, passage.start, news);
  const [shown, setShown] = useState("Document");
  const name = data?.document.name;
  useEffect(() => {
    if (name) document.title = `${name} · RxChat`;
  }, [name]);
  if (code === GONE) return <Gone />;
  if (problem) return <div className="load-error"><Problem>{problem}</Problem><button type="button" className="button-quiet" onClick={again}>Try again</button></div>;
  if (!data) return <Skeleton />;
  const facts = data.document;
  const names = isPdf(facts) || isPicture(facts) ? ["Document", "Text", "Passages"] : ["Document", "Passages"];
  const show = (next) => {
    setShown("Document");
    onPassage(next);
  };
  return (
    <>
      <Head
        {...{ facts, encodings, readers, news }}
        title={data.title}
        collection={collections.find(({ id }) => id === facts.collection_id)}
        isOwn={data.is_own}
        onDone={again}
      />
      <Tabs label="Views" items={names.map((name) => [name, name])} shown={shown} onShow={setShown} />
      <div role="tabpanel" id={`panel-${shown}`} aria-labelledby={`tab-${shown}`} className="viewer-body">
        <Body data={data} asked={passage} shown={shown} onPassage={show} />
      </div>
    </>
  );
}

/** The page of one document: its address says which, and which passage. */
export function ViewerPage({ collections, news, encodings, readers }) {
  const { document_id: documentId = "" } = useParams();
  const navigate = useNavigate();
  const passage = passageIn(useLocation());
  const go = ({ start, end, page, text }) => navigate(viewerAddress({ documentId, start, end, page, quote: text }));
  return (
    <div className="documents-scroll">
      <div className="documents-page viewer">
        <h1 className="sr-only">Document</h1>
        <DocumentViewer key={documentId} {...{ documentId, passage, collections, news, encodings, readers }} onPassage={go} />
      </div>
    </div>
  );
}
