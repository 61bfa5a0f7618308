// The versions of a document: which one this is, whether a newer one is in use, and the list of all with what can be done.
import { useEffect, useState } from "react";
import { Link } from "react-router";
import { Download, RotateCcw } from "lucide-react";
import { Moment } from "./moment.jsx";
import { address, ask } from "./backend.js";
import { ConfirmDialog } from "./dialog.jsx";
import { Problem } from "./form-parts.jsx";
import { spokenSize } from "./uploads.js";
import { viewerAddress } from "./viewer-address.js";
import { noticeOf, versionWords } from "./viewer-words.js";

/** All versions of a document; asked for again when the document, or what is known of it, changes. */
function useHistory(facts, news) {
  const [history, setHistory] = useState(null);
  const [reads, setReads] = useState(0);
  useEffect(() => {
    let isOver = false;
    ask("GET", `/api/documents/${encodeURIComponent(facts.id)}/versions`).then(({ data }) => !isOver && data && setHistory(data));
    return () => {
      isOver = true;
    };
  }, [facts.id, facts.state, facts.version_state, news, reads]);
  return [history, () => setReads((count) => count + 1)];
}

function Version({ version, isShown, isOwn, uploadedBy, onRestore }) {
  const { id, version: number, name, size_bytes: size, created_at: at, version_state: part } = version;
  const who = isOwn ? "you" : uploadedBy || "its owner";
  return (
    <li className="version" aria-current={isShown || undefined}>
      <div className="version-words">
        <p>{isShown ? <b>Version {number}</b> : <Link to={viewerAddress({ documentId: id })}>Version {number}</Link>} <span className="version-state" data-part={part}>{versionWords(version)}</span></p>
        <p className="collection-facts"><span>Uploaded by {who}</span><Moment at={Date.parse(at)} /><span>{spokenSize(size)}</span></p>
      </div>
      <div className="version-actions">
        <a className="button-quiet" href={address(`/api/files/${id}`)} download={name} aria-label={`Download version ${number}`}><Download size={15} aria-hidden="true" /></a>
        {isOwn && part === "superseded" && !version.parent_id && (
          <button type="button" className="button-quiet" aria-label={`Restore version ${number}`} onClick={() => onRestore(version)}><RotateCcw size={15} aria-hidden="true" /> Restore</button>
        )}
      </div>
    </li>
  );
}

/** Nothing at all for a document that has one version only. */
export function Versions({ facts, news }) {
  const [history, again] = useHistory(facts, news);
  const [isOpen, setOpen] = useState(false);
  const [asked, setAsked] = useState(null);
  const [problem, setProblem] = useState("");
  if (!history || history.versions.length < 2) return null;
  const { versions, is_own: isOwn, uploaded_by: uploadedBy } = history;
  const notice = noticeOf(facts, versions);
  const restore = async () => {
    const answer = await ask("POST", `/api/documents/${encodeURIComponent(asked.id)}/restore`);
    setProblem(answer.problem ?? "");
    again();
  };
  return (
    <div className="versions">
      {notice && (
        <p className="version-notice" role="status">
          <span>{notice.words}</span> {notice.id && <Link to={viewerAddress({ documentId: notice.id })}>{notice.link}</Link>}
        </p>
      )}
      <button type="button" className="link-button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Version {facts.version} of {versions[0].version}
      </button>
      {isOpen && (
        <>
          <Problem>{problem}</Problem>
          <ol className="version-list" aria-label="Versions">
            {versions.map((version) => <Version key={version.id} {...{ version, isOwn, uploadedBy }} isShown={version.id === facts.id} onRestore={setAsked} />)}
          </ol>
        </>
      )}
      {asked && (
        <ConfirmDialog
          title={`Restore version ${asked.version}?`}
          lead={`It becomes version ${versions[0].version + 1}, and answers use it once it is ready. The other versions are kept.`}
          action="Restore"
          onConfirm={restore}
          onClose={() => setAsked(null)}
        />
      )}
    </div>
  );
}
