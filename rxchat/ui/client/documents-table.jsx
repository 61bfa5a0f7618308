// The documents of a collection: what each is, how far it has come, and what can be done with it.
import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { Ellipsis, Eye, LoaderCircle, Pencil, RotateCw, Search, Trash2, TriangleAlert } from "lucide-react";
import { Moment } from "./moment.jsx";
import { Menu, MenuItem } from "./controls.jsx";
import { FILTERS, filtered, isRecognised, isUnderWay, pendingWords, stateWords } from "./documents-words.js";
import { counted } from "./words.js";
import { viewerAddress } from "./viewer-address.js";

const PAGE = 100;

function State({ document, onReadAgain }) {
  const { state, percent, status_text: status, warnings, name } = document;
  const look = isUnderWay(document) ? "under-way" : state;
  return (
    <div className="document-state" data-look={look}>
      <p>
        {look === "under-way" && <LoaderCircle size={14} aria-hidden="true" className="spin" />}
        {look === "failed" && <TriangleAlert size={14} aria-hidden="true" />}
        <span>{stateWords(document)}</span>
      </p>
      {state === "chunked" && <progress aria-label={`${name}: embedding progress`} value={percent} max={100} />}
      {isRecognised(document) && <progress aria-label={`${name}: OCR progress`} value={percent} max={100} />}
      {pendingWords(document) && <p className="document-note">{pendingWords(document)}</p>}
      {status && <p className="document-note">{status}</p>}
      {warnings && <p className="document-note">{warnings}</p>}
      {look === "failed" && onReadAgain && (
        <button type="button" className="link-button" onClick={onReadAgain}><RotateCw size={13} aria-hidden="true" /> Try again</button>
      )}
    </div>
  );
}

function RowMenu({ document, setDialog, onReadAgain, address }) {
  return (
    <Menu
      label={document.name}
      placement="bottom-end"
      button={(props) => (
        <button type="button" className="icon-button small" aria-label={`Actions for ${document.name}`} {...props}>
          <Ellipsis size={17} strokeWidth={1.75} aria-hidden="true" />
        </button>
      )}
    >
      <Link to={address} role="menuitem" tabIndex={-1} className="menu-item"><Eye size={16} strokeWidth={1.75} aria-hidden="true" className="shrink-0 opacity-80" />Open</Link>
      {!document.is_pending && <MenuItem icon={Pencil} onClick={() => setDialog({ kind: "rename-document", document })}>Rename</MenuItem>}
      <MenuItem icon={RotateCw} onClick={onReadAgain}>Parse again</MenuItem>
      <hr className="menu-line" />
      <MenuItem icon={Trash2} isDanger onClick={() => setDialog({ kind: "delete-documents", documents: [document] })}>Delete</MenuItem>
    </Menu>
  );
}

function Row({ document, isOwn, isChosen, onChoose, setDialog, onReadAgain }) {
  const { id, name, kind, size, pages, cited, at, version, parent } = document;
  const address = viewerAddress({ documentId: id });
  const isStored = document.state !== "uploading";
  return (
    <tr role="row" data-chosen={isChosen || undefined}>
      {isOwn && (
        <td role="cell" className="document-box">
          <label><input type="checkbox" aria-label={`Choose ${name}`} checked={isChosen} onChange={onChoose} /></label>
        </td>
      )}
      <th role="rowheader" scope="row" className="document-name">
        <span className="document-kind" aria-hidden="true">{kind || "–"}</span>
        <span className="document-title">
          {isStored ? <Link to={address} className="document-link">{name}</Link> : <span>{name}</span>}
          {version > 1 && <span className="document-version">Version {version}</span>}
          {parent && <span className="document-version">Attached to {parent}</span>}
        </span>
      </th>
      <td role="cell" className="document-progress"><State document={document} onReadAgain={isOwn ? onReadAgain : undefined} /></td>
      <td role="cell" data-label="Size" className="is-number">{size}</td>
      <td role="cell" data-label="Pages" className="is-number" data-none={!pages || undefined}>{pages || <span className="text-muted">–</span>}</td>
      <td role="cell" data-label="Cited" data-none={!cited || undefined}>{cited ? `in ${counted(cited, "answer")}` : <span className="text-muted">not yet</span>}</td>
      <td role="cell" data-label="Added"><Moment at={at} /></td>
      {isOwn && <td role="cell" className="document-menu"><RowMenu {...{ document, setDialog, onReadAgain, address }} /></td>}
    </tr>
  );
}

function Filters({ words, filter, onWords, onFilter }) {
  return (
    <div className="document-filters">
      <div className="search-box" role="search">
        <Search size={16} strokeWidth={1.75} aria-hidden="true" />
        <input type="search" aria-label="Filter by name" placeholder="Filter" value={words} maxLength={100} onChange={(event) => onWords(event.target.value)} />
      </div>
      <select aria-label="Filter by state" value={filter} onChange={(event) => onFilter(event.target.value)}>
        {FILTERS.map(({ value, label }) => <option key={value} value={value}>{label}</option>)}
      </select>
    </div>
  );
}

function AllBox({ count, all, onChange }) {
  const box = useRef(null);
  useEffect(() => {
    box.current.indeterminate = count > 0 && count < all;
  });
  return <label><input ref={box} type="checkbox" aria-label="Select all" checked={all > 0 && count === all} onChange={onChange} /></label>;
}

const HEADINGS = [["Name"], ["State"], ["Size", "is-number"], ["Pages", "is-number"], ["Cited"], ["Added"]];

export function DocumentTable({ documents, isOwn, setDialog, tell, events }) {
  const [words, setWords] = useState("");
  const [filter, setFilter] = useState("");
  const [chosen, setChosen] = useState(() => new Set());
  const [most, setMost] = useState(PAGE);
  const found = filtered(documents, words, filter);
  const picked = found.filter(({ id }) => chosen.has(id));
  const toggle = (id) => setChosen((before) => {
    const next = new Set(before);
    if (!next.delete(id)) next.add(id);
    return next;
  });
  const toggleAll = () => setChosen(picked.length === found.length ? new Set() : new Set(found.map(({ id }) => id)));
  return (
    <div className="document-list">
      {documents.length > 1 && <Filters {...{ words, filter }} onWords={setWords} onFilter={setFilter} />}
      {picked.length > 0 && (
        <div className="document-picked" role="status">
          <p>{picked.length.toLocaleString("en")} chosen</p>
          <button type="button" className="button-quiet" onClick={() => setChosen(new Set())}>Clear selection</button>
          <button type="button" className="button-quiet is-danger" onClick={() => setDialog({ kind: "delete-documents", documents: picked })}>
            <Trash2 size={15} aria-hidden="true" /> Delete
          </button>
        </div>
      )}
      {found.length > 0 ? (
        <table role="table" aria-label="Documents" className="documents-table">
          <thead role="rowgroup">
            <tr role="row">
              {isOwn && <th role="columnheader" scope="col" className="document-box"><AllBox count={picked.length} all={found.length} onChange={toggleAll} /></th>}
              {HEADINGS.map(([label, look]) => <th key={label} role="columnheader" scope="col" className={look}>{label}</th>)}
              {isOwn && <th role="columnheader" scope="col"><span className="sr-only">Actions</span></th>}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {found.slice(0, most).map((document) => (
              <Row
                key={document.id}
                {...{ document, isOwn, setDialog }}
                isChosen={chosen.has(document.id)}
                onChoose={() => toggle(document.id)}
                onReadAgain={() => tell(() => events.onReadAgain(document.id))}
              />
            ))}
          </tbody>
        </table>
      ) : <p className="documents-none">No documents match. <button type="button" className="link-button" onClick={() => { setWords(""); setFilter(""); }}>Show all</button></p>}
      {found.length > most && (
        <div className="document-more"><button type="button" className="button-quiet" onClick={() => setMost(most + PAGE)}>Show more ({(found.length - most).toLocaleString("en")} left)</button></div>
      )}
    </div>
  );
}
