// What the page of documents asks before it does something: names, with whom to share, whether really to delete.
import { useState } from "react";
import { Globe, User, Users } from "lucide-react";
import { Dialog, DialogActions } from "./dialog.jsx";
import { counted } from "./words.js";
import { Form, Problem, useForm } from "./form-parts.jsx";

const NAME = { id: "collection-name", name: "name", label: "Name", missing: "collection’s name", type: "text", maxLength: 80 };
const PURPOSE = {
  id: "collection-purpose", name: "purpose", label: "Description (optional)", type: "text", maxLength: 300, isOptional: true,
  help: "Helps others choose it, for example “Everything about holidays and travel”.",
};

/** Some fields and a button; it closes when what it sends was done. */
function AskDialog({ title, lead, fields = [], prefilled, action, busy, isDanger, send, onClose }) {
  const form = useForm(fields, async (values) => {
    const answer = await send(values);
    if (!answer.problem) onClose();
    return answer;
  }, { prefilled });
  return (
    <Dialog title={title} onClose={onClose}>
      {lead && <p className="dialog-lead">{lead}</p>}
      <Form form={form} footer={<DialogActions {...{ form, action, busy, isDanger, onClose }} />} />
    </Dialog>
  );
}

const MARKS = { user: User, group: Users, everyone: Globe };

function Readers({ shares, onUnshare }) {
  if (!shares.length) return <p className="dialog-lead">Only you can read it.</p>;
  return (
    <ul className="readers" aria-label="Who can read it">
      {shares.map(({ id, kind, name }) => {
        const Icon = MARKS[kind] ?? User;
        return (
          <li key={id}>
            <Icon size={16} strokeWidth={1.75} aria-hidden="true" />
            <span>{name}</span>
            <button type="button" className="button-quiet" aria-label={`Revoke ${name}’s access`} onClick={() => onUnshare(id)}>Revoke</button>
          </li>
        );
      })}
    </ul>
  );
}

function ShareDialog({ collection, shares, groups, ask, events, onClose }) {
  const [address, setAddress] = useState("");
  const [group, setGroup] = useState("");
  const [problem, setProblem] = useState("");
  const send = async (act) => {
    const answer = await ask(act);
    setProblem(answer.problem ?? "");
    return !answer.problem;
  };
  const sharePerson = async (event) => {
    event.preventDefault();
    if (!address.trim()) setProblem("Enter the e-mail address of a user.");
    else if (await send(() => events.onShare("user", address.trim()))) setAddress("");
  };
  const shareGroup = async (event) => {
    event.preventDefault();
    if (group && (await send(() => events.onShare("group", group)))) setGroup("");
  };
  const isForAll = shares.some(({ kind }) => kind === "everyone");
  return (
    <Dialog title={`Share “${collection.name}”`} onClose={onClose}>
      <p className="dialog-lead">People you share it with can read its documents and ask about them. Only you can change it.</p>
      <Problem>{problem}</Problem>
      <form className="share-line" onSubmit={sharePerson} noValidate>
        <div className="field">
          <label htmlFor="share-address">E-mail address</label>
          <input id="share-address" type="email" autoComplete="off" spellCheck={false} maxLength={320} data-autofocus="" value={address} onChange={(event) => setAddress(event.target.value)} />
        </div>
        <button type="submit" className="button-quiet">Share</button>
      </form>
      {groups.length > 0 && (
        <form className="share-line" onSubmit={shareGroup}>
          <div className="field">
            <label htmlFor="share-group">A group</label>
            <select id="share-group" className="select" value={group} onChange={(event) => setGroup(event.target.value)}>
              <option value="">Choose a group</option>
              {groups.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
            </select>
          </div>
          <button type="submit" className="button-quiet" disabled={!group}>Share</button>
        </form>
      )}
      {!isForAll && (
        <p className="share-all">
          <span>Everyone with an account</span>
          <button type="button" className="button-quiet" onClick={() => send(() => events.onShare("everyone", ""))}>Share with everyone</button>
        </p>
      )}
      <h3 className="readers-title">Who can read it</h3>
      <Readers shares={shares} onUnshare={(id) => send(() => events.onUnshare(id))} />
    </Dialog>
  );
}

const MOST_NAMED = 5;

/** What to do with files whose names are taken; without an answer nothing of them is uploaded. */
function TakenNamesDialog({ names, add, onClose }) {
  const isOne = names.length === 1;
  const choose = (ifExists) => {
    add(ifExists);
    onClose();
  };
  return (
    <Dialog title={isOne ? `Replace “${names[0]}”?` : `Replace ${names.length.toLocaleString("en")} documents?`} onClose={onClose}>
      {isOne ? <p className="dialog-lead">This collection already has a document with this name.</p> : (
        <>
          <p className="dialog-lead">This collection already has documents with these names:</p>
          <ul className="taken-names">
            {names.slice(0, MOST_NAMED).map((name) => <li key={name}>{name}</li>)}
            {names.length > MOST_NAMED && <li>and {(names.length - MOST_NAMED).toLocaleString("en")} more</li>}
          </ul>
        </>
      )}
      <p className="dialog-lead">
        Replaced, {isOne ? "it" : "each"} gets a new version: answers use that once it is ready, and earlier versions can be opened and restored.
      </p>
      <div className="dialog-actions taken-actions">
        <button type="button" className="button-quiet" onClick={onClose}>Cancel</button>
        <button type="button" className="button-quiet" onClick={() => choose("keep")}>Keep both</button>
        <button type="button" className="button-main" data-autofocus="" onClick={() => choose("replace")}>Replace</button>
      </div>
    </Dialog>
  );
}

/** What is said before versions are deleted. */
function deletedVersions([{ version, is_pending: isPending }]) {
  if (isPending) return " The version in use stays.";
  return version > 1 ? " All its versions are deleted." : "";
}

function deletion(documents) {
  const [first] = documents;
  const cited = documents.filter((document) => document.cited).length;
  const them = documents.length === 1 ? "It is" : "They are";
  const lasts = documents.every((document) => document.is_pending)
    ? `${them} deleted immediately, with all passages. This cannot be undone.`
    : `${them} removed from search immediately, and can be restored for 30 days.`;
  return {
    title: documents.length === 1 ? `Delete ${first.is_pending ? `version ${first.version} of ` : ""}“${first.name}”?` : `Delete ${documents.length.toLocaleString("en")} documents?`,
    lead: `${lasts}${cited ? " Answers that cite " + (documents.length === 1 ? "it" : "them") + " stay, without the passages." : ""}${documents.length === 1 ? deletedVersions(documents) : ""}`,
  };
}

/** The dialog of this kind. */
export function DocumentDialogs({ dialog, collection, shares, groups, ask, events, onClose, onGone }) {
  const close = { onClose };
  const removeCollection = async () => {
    const answer = await ask(() => events.onRemoveCollection(collection.id));
    if (!answer.problem) onGone();
    return answer;
  };
  switch (dialog.kind) {
    case "new":
      return <AskDialog {...close} title="New collection" fields={[NAME, PURPOSE]} action="Create collection" busy="Creating…" send={({ name, purpose }) => ask(() => events.onCreate(name, purpose))} />;
    case "rename":
      return <AskDialog {...close} title="Rename collection" fields={[NAME, PURPOSE]} prefilled={{ name: collection.name, purpose: collection.description }} action="Save" busy="Saving…" send={({ name, purpose }) => ask(() => events.onRename(collection.id, name, purpose))} />;
    case "rename-document":
      return <AskDialog {...close} title="Rename document" fields={[{ ...NAME, missing: "document’s name", maxLength: 255 }]} prefilled={dialog.document} action="Save" busy="Saving…" send={({ name }) => ask(() => events.onRenameDocument(dialog.document.id, name))} />;
    case "taken-names":
      return <TakenNamesDialog {...close} names={dialog.names} add={dialog.add} />;
    case "share":
      return <ShareDialog {...{ collection, shares, groups, ask, events, onClose }} />;
    case "delete":
      return <AskDialog {...close} title={`Delete “${collection.name}”?`} lead={`This deletes the collection and its ${counted(collection.documents, "document")} immediately. This cannot be undone.`} action="Delete collection" busy="Deleting…" isDanger send={removeCollection} />;
    case "delete-documents":
      return <AskDialog {...close} {...deletion(dialog.documents)} action="Delete" busy="Deleting…" isDanger send={() => ask(() => events.onRemoveDocuments(dialog.documents.map(({ id }) => id).join(" ")))} />;
    default:
      return null;
  }
}
