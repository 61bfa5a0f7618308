// The page of documents: the collections beside the one that is open.
import { useCallback, useEffect, useRef, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { FileSearch, Library, Plus, RefreshCw, Users } from "lucide-react";
import { Collection } from "./documents-collection.jsx";
import { DocumentDialogs } from "./documents-dialogs.jsx";
import { counted } from "./words.js";
import { Problem } from "./form-parts.jsx";
import { setClientValue } from "./client-values.js";

/** Send an event and wait for its answer: {} or {problem}. */
function useAnswers(answers, problem) {
  const waiting = useRef([]);
  const latest = useRef("");
  latest.current = problem;
  useEffect(() => {
    for (const tell of waiting.current.splice(0)) tell(latest.current ? { problem: latest.current } : {});
  }, [answers]);
  return useCallback((send) => new Promise((tell) => {
    waiting.current.push(tell);
    send();
  }), []);
}

function CollectionLink({ collection, isOpen }) {
  const { id, name, documents, is_own: isOwn } = collection;
  return (
    <li>
      <Link to={`/documents/${id}`} aria-current={isOpen ? "page" : undefined} className="collection-link">
        <span className="collection-name">{name}</span>
        <span className="collection-facts">
          {counted(documents, "document")}
          {!isOwn && <span className="collection-shared"><Users size={13} aria-hidden="true" /> shared with you</span>}
        </span>
      </Link>
    </li>
  );
}

function Collections({ collections, named, onNew }) {
  return (
    <nav className="collections" aria-label="Collections">
      <header className="collections-head">
        <h2>Collections</h2>
        <button type="button" className="button-quiet" aria-label="New collection" onClick={onNew}><Plus size={16} aria-hidden="true" /> New<span className="collections-what"> collection</span></button>
      </header>
      <ul>
        {collections.map((collection) => (
          <CollectionLink key={collection.id} collection={collection} isOpen={collection.id === named} />
        ))}
      </ul>
    </nav>
  );
}

const Welcome = ({ onNew }) => (
  <section className="documents-welcome">
    <span className="documents-mark"><Library size={26} strokeWidth={1.5} aria-hidden="true" /></span>
    <h2>Answers from your own documents</h2>
    <p>
      Put files that belong together into a collection: a handbook, the papers of a project, the minutes of a year. RxChat
      reads them here, on your own server, and answers name the passage that they rest on.
    </p>
    <button type="button" className="button-main" onClick={onNew}>Create your first collection</button>
  </section>
);

const Unchosen = () => (
  <section className="documents-welcome is-quiet">
    <span className="documents-mark"><FileSearch size={26} strokeWidth={1.5} aria-hidden="true" /></span>
    <h2>Open a collection</h2>
    <p>See its documents and their progress, add files, and test searches.</p>
  </section>
);

const Gone = () => (
  <section className="documents-welcome is-quiet" role="status">
    <h2>Collection not found</h2>
    <p>It was deleted, or is no longer shared with you.</p>
    <Link to="/documents" className="button-quiet">To your collections</Link>
  </section>
);

const Skeleton = ({ label }) => (
  <div className="skeleton documents-skeleton" role="status" aria-label={label}>
    {[32, 54, 100, 100, 100, 70].map((width, at) => <i key={at} style={{ width: `${width}%` }} />)}
  </div>
);

function Unloaded({ problem, onReload }) {
  if (!problem) return <Skeleton label="Loading your collections" />;
  return (
    <div className="load-error">
      <Problem>{problem}</Problem>
      <button type="button" className="button-quiet" onClick={() => onReload()}><RefreshCw size={15} aria-hidden="true" /> Try again</button>
    </div>
  );
}

export function DocumentsPage({ collections, selectedId, documents, shares, deleted, removed, groups, embedder, loaded, flash, created, problem, answers, onReload, ...events }) {
  const { collection_id: named = "" } = useParams();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState(null);
  const ask = useAnswers(answers, problem);
  const collection = collections.find(({ id }) => id === named);
  // A dialog about a collection outlives it by a moment: by the one in which it is deleted.
  const about = useRef(null);
  about.current = collection ?? about.current;
  const isThere = loaded && selectedId === named;
  useEffect(() => {
    document.title = `${collection?.name ?? "Documents"} · RxChat`;
  }, [collection?.name]);
  useEffect(() => {
    // Who has the list of readers before them sees it there.
    if (!flash || dialog?.kind === "share") return;
    if (removed) setClientValue("undo_toast", { words: flash, undo: () => tell(() => events.onRestoreDocuments(removed)) });
    else setClientValue("problem_toast", flash);
  }, [flash, answers]);
  useEffect(() => {
    if (created) navigate(`/documents/${created}`);
  }, [created]);
  useEffect(() => setDialog(null), [named]);
  const onNew = () => setDialog({ kind: "new" });
  const tell = async (send) => {
    const { problem: refused } = await ask(send);
    if (refused) setClientValue("problem_toast", refused);
  };

  let open = <Skeleton label="Loading the collection" />;
  if (isThere && !named) open = collections.length ? <Unchosen /> : <Welcome onNew={onNew} />;
  else if (isThere && !collection) open = <Gone />;
  else if (isThere) open = <Collection key={named} {...{ collection, documents, deleted, setDialog, tell, events }} />;
  return (
    <div className="documents" data-shows={named ? "collection" : "list"} data-empty={(isThere && !collections.length) || undefined}>
      <h1 className="sr-only" id="account-title" tabIndex={-1}>Documents</h1>
      {loaded ? <Collections {...{ collections, named, onNew }} /> : <div className="collections" />}
      <div className="documents-scroll">
        <div className="documents-page">
          {loaded ? open : <Unloaded {...{ problem, onReload }} />}
          {loaded && embedder && <p className="documents-embedder">{embedder}</p>}
        </div>
      </div>
      {dialog && <DocumentDialogs collection={about.current} {...{ dialog, shares, groups, ask, events }} onClose={() => setDialog(null)} onGone={() => navigate("/documents")} />}
    </div>
  );
}
