// A collection that is open: what it is, what can be done with it, its documents, and what would be found in it.
import { useEffect, useRef, useState } from "react";
import { Link, useNavigationType } from "react-router";
import { ArrowLeft, Ellipsis, FilePlus2, Pencil, RotateCcw, Share2, Trash2, Users } from "lucide-react";
import { Menu, MenuItem } from "./controls.jsx";
import { lastQuestion, TryQuery } from "./documents-search.jsx";
import { DocumentTable } from "./documents-table.jsx";
import { UploadList, uploadsOf, useUploads } from "./documents-uploads.jsx";
import { counted } from "./words.js";
import { takenNames } from "./documents-names.js";
import { spokenMoment } from "./moments.js";
import { Tabs } from "./tabs.jsx";

const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

/** Files that are dropped anywhere on the page, or pasted; whether some hang above it just now. */
function useGivenFiles(isOn, onFiles) {
  const [isOver, setOver] = useState(false);
  const latest = useRef(onFiles);
  latest.current = onFiles;
  useEffect(() => {
    if (!isOn) return undefined;
    const listening = new AbortController();
    const listen = (kind, act) => window.addEventListener(kind, act, { signal: listening.signal });
    // Each element that the pointer comes to says so; the page is left when as many were left.
    let depth = 0;
    const change = (next) => {
      depth = Math.max(0, next);
      setOver(depth > 0);
    };
    listen("dragenter", (event) => holdsFiles(event) && change(depth + 1));
    listen("dragleave", (event) => holdsFiles(event) && change(depth - 1));
    listen("dragover", (event) => holdsFiles(event) && event.preventDefault());
    listen("drop", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      change(0);
      latest.current([...event.dataTransfer.files]);
    });
    listen("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      latest.current(files);
    });
    return () => {
      listening.abort();
      setOver(false);
    };
  }, [isOn]);
  return isOver;
}

function AddFiles({ onFiles, className, children }) {
  const field = useRef(null);
  return (
    <>
      <button type="button" className={className} onClick={() => field.current.click()}>{children}</button>
      <input
        ref={field}
        type="file"
        multiple
        hidden
        aria-label="Files to add"
        onChange={(event) => {
          onFiles([...event.target.files]);
          event.target.value = "";
        }}
      />
    </>
  );
}

function Head({ collection, onFiles, setDialog }) {
  const { name, description, documents, chunks, is_own: isOwn } = collection;
  return (
    <header className="collection-head">
      <Link to="/documents" className="back-link documents-back"><ArrowLeft size={15} aria-hidden="true" /> All collections</Link>
      <div className="collection-title">
        <div>
          <h2>{name}</h2>
          {description && <p className="collection-description">{description}</p>}
          <p className="collection-facts">
            {counted(documents, "document")} · {counted(chunks, "passage")}
            {!isOwn && <span className="collection-shared"><Users size={13} aria-hidden="true" /> shared with you</span>}
          </p>
        </div>
        {isOwn && (
          <div className="collection-actions">
            <AddFiles className="button-main" onFiles={onFiles}><FilePlus2 size={16} aria-hidden="true" /> Add files</AddFiles>
            <button type="button" className="button-quiet" onClick={() => setDialog({ kind: "share" })}><Share2 size={15} aria-hidden="true" /> Share</button>
            <Menu
              label="This collection"
              placement="bottom-end"
              button={(props) => (
                <button type="button" className="icon-button" aria-label="More actions" {...props}>
                  <Ellipsis size={18} strokeWidth={1.75} aria-hidden="true" />
                </button>
              )}
            >
              <MenuItem icon={Pencil} onClick={() => setDialog({ kind: "rename" })}>Rename</MenuItem>
              <MenuItem icon={Trash2} isDanger onClick={() => setDialog({ kind: "delete" })}>Delete</MenuItem>
            </Menu>
          </div>
        )}
      </div>
    </header>
  );
}

const TABS = [["documents", "Documents"], ["query", "Test search"]];

const NoDocuments = ({ isOwn, onFiles }) => (
  <div className="documents-drop">
    <FilePlus2 size={24} strokeWidth={1.5} aria-hidden="true" />
    {isOwn ? (
      <>
        <p><b>Drop files here</b>, paste them, or choose them.</p>
        <p className="text-muted">PDF, Word, PowerPoint, Excel, OpenDocument, RTF, EPUB, web pages, Markdown, e-mails and mailboxes, tables, JSON, source code, plain text and pictures.</p>
        <AddFiles className="button-quiet" onFiles={onFiles}>Choose files</AddFiles>
      </>
    ) : <p>There are no documents in this collection yet.</p>}
  </div>
);

/** What was deleted of late; it can be restored as long as it is listed. */
function Deleted({ deleted, tell, events }) {
  if (!deleted.length) return null;
  const now = Date.now();
  return (
    <details className="documents-deleted">
      <summary>Recently deleted ({deleted.length.toLocaleString("en")})</summary>
      <p>Deleted documents can be restored for 30 days.</p>
      <ul>
        {deleted.map(({ id, name, at }) => (
          <li key={id}>
            <span className="documents-deleted-name">{name}</span>
            <time dateTime={new Date(at).toISOString()}>{spokenMoment(at, now)}</time>
            <button type="button" className="button-quiet" aria-label={`Restore ${name}`} onClick={() => tell(() => events.onRestoreDocuments(id))}><RotateCcw size={15} aria-hidden="true" /> Restore</button>
            <button type="button" className="icon-button" aria-label={`Delete ${name} permanently`} title="Delete permanently" onClick={() => tell(() => events.onDeleteForGood(id))}><Trash2 size={15} aria-hidden="true" /></button>
          </li>
        ))}
      </ul>
    </details>
  );
}

export function Collection({ collection, documents, deleted, setDialog, tell, events }) {
  const { id, name, is_own: isOwn } = collection;
  const uploads = uploadsOf(id);
  const items = useUploads(uploads);
  // Back from a passage that was found, one is where one was.
  const [asked] = useState(useNavigationType() === "POP" ? lastQuestion(id) : "");
  const [shown, setShown] = useState(asked ? "query" : "documents");
  const add = async (files) => {
    if (!files.length) return;
    setShown("documents");
    const taken = await takenNames(id, files);
    const [named, free] = [true, false].map((isTaken) => files.filter((file) => taken.has(file.name) === isTaken));
    if (free.length) uploads.add(free);
    if (named.length) setDialog({ kind: "taken-names", names: named.map((file) => file.name), add: (ifExists) => uploads.add(named, { if_exists: ifExists }) });
  };
  const isOver = useGivenFiles(isOwn, add);
  // What this page sends is shown as an upload, not as a document as well.
  const sent = new Set(items.map((item) => item.documentId));
  const listed = documents.filter((document) => !(document.state === "uploading" && sent.has(document.id)));
  return (
    <>
      <Head {...{ collection, setDialog }} onFiles={add} />
      <UploadList uploads={uploads} items={items} />
      <Tabs label="This collection" items={TABS} shown={shown} onShow={setShown} />
      <div role="tabpanel" id={`panel-${shown}`} aria-labelledby={`tab-${shown}`}>
        {shown === "query" && <TryQuery collectionId={id} asked={asked} isEmpty={!documents.some((document) => document.is_found)} />}
        {shown === "documents" && (listed.length
          ? <DocumentTable documents={listed} isOwn={isOwn} {...{ setDialog, tell, events }} />
          : <NoDocuments isOwn={isOwn} onFiles={add} />)}
        {shown === "documents" && <Deleted {...{ deleted, tell, events }} />}
      </div>
      {isOver && <div className="drop-overlay"><p><FilePlus2 size={22} strokeWidth={1.75} aria-hidden="true" /> Drop to add to “{name}”</p></div>}
    </>
  );
}
