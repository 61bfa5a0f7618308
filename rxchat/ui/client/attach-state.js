// What is attached to the message that is being written: files on their way or there, and what was picked with "#".
// No React and no DOM in here, so that the rules can be tested alone.

const CUT_OFF = "The upload was interrupted when you left the page. Choose the file again.";

/** Whether a file has yet to arrive: the message waits for it. */
export const isComing = ({ state }) => !["done", "failed", "gone"].includes(state);
/** Whether a file will not go along unless somebody does something about it. */
export const isLeftOut = ({ state }) => ["failed", "gone"].includes(state);

/** Whether something goes along with the message, so that it needs no text. */
export const isThere = ({ state }) => state === "done";

/** What is shown of a message without text until the server has put its files' names there. */
export const sentWords = ({ text, attached }) => text || `Attached: ${(attached?.chips ?? []).map(({ name }) => name).join(", ")}`;

/** Whether two messages bring the same along; nothing at all is the same as nothing. */
export function isSameAttached(one, other) {
  const said = (attached) => JSON.stringify([attached?.draft ?? "", [...(attached?.ids ?? [])].sort()]);
  return said(one) === said(other);
}

/** What the server is told of what goes along. */
export const asSent = (attached) => (attached ? { ids: attached.ids, draft: attached.draft } : {});

/** What stops a message, or what should be known before it goes; "" when nothing does. */
export function attachedWords(chips) {
  const coming = chips.filter(isComing).length;
  if (coming) return coming === 1 ? "A file is still being uploaded." : `${coming} files are still being uploaded.`;
  const out = chips.filter(isLeftOut);
  if (!out.length) return "";
  return out.length === 1 ? `“${out[0].name}” was not uploaded and will not be sent.` : `${out.length} files were not uploaded and will not be sent.`;
}

/** The files of a paste; none when it is text, which stays text. File managers paste the names of files as text, too. */
export function pastedFiles(data) {
  const files = [...(data?.files ?? [])];
  const text = (data?.getData("text/plain") ?? "").trim();
  if (!files.length || !text) return files;
  const names = new Set(files.map((file) => file.name));
  return text.split(/\r?\n/).every((line) => names.has(line.trim().split(/[\\/]/).pop())) ? files : [];
}

const asChip = (item) => ({ key: `u${item.key}`, kind: "file", name: item.name, id: item.documentId, state: item.state, progress: item.progress, error: item.error });
const asKept = ({ kind, name, id, state }) => ({ kind, name, id, state: state === "done" ? "done" : "gone" });

/**
 * Over a list of uploads, made by `makeUploads(draft)` with the first file. `save` keeps {draft, chips} for a page that is
 * loaded again; `erase(id)` deletes a document and gives "" or what went wrong; `giveUp(id)` ends an upload that was begun.
 */
export function createAttachments({ makeUploads, newId, save = () => {}, erase, giveUp, stored }) {
  let draft = stored?.draft ?? "";
  let uploads = null;
  let count = 0;
  const listeners = new Set();
  const numbered = (chip) => {
    count += 1;
    return { ...chip, key: `k${count}`, progress: 0, error: chip.state === "gone" ? CUT_OFF : "" };
  };
  let kept = (stored?.chips ?? []).map(numbered);
  let chips = kept;
  let saved = "";

  const changed = () => {
    chips = [...kept, ...(uploads?.snapshot() ?? []).map(asChip)];
    const next = chips.length ? { draft, chips: chips.map(asKept) } : undefined;
    // Progress is no news to a page that is loaded again.
    const said = JSON.stringify(next ?? null);
    if (said !== saved) save(next);
    saved = said;
    for (const listener of [...listeners]) listener();
  };
  const keep = (next) => {
    kept = next;
    changed();
  };
  const upload = (key) => uploads?.snapshot().find((item) => `u${item.key}` === key);
  const endUpload = ({ id }) => id && giveUp(id);

  async function removeStored(chip) {
    if (chips.some((other) => other.id === chip.id)) return;
    const problem = await erase(chip.id);
    if (problem) keep([...kept, { ...numbered(chip), error: problem }]);
  }

  function forget(key) {
    const item = upload(key);
    if (item) uploads.cancel(item.key);
    else keep(kept.filter((chip) => chip.key !== key));
  }

  function reset() {
    uploads?.dispose();
    [uploads, draft, kept] = [null, "", []];
    changed();
  }

  return {
    snapshot: () => chips,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    /** Upload files for this message; one that was cut off and is chosen again takes its own place. */
    add(files) {
      const names = new Set([...files].map((file) => file.name));
      for (const chip of kept) if (chip.state === "gone" && names.has(chip.name)) endUpload(chip);
      kept = kept.filter((chip) => chip.state !== "gone" || !names.has(chip.name));
      draft ||= newId();
      if (!uploads) {
        uploads = makeUploads(draft);
        uploads.subscribe(changed);
      }
      uploads.add(files);
      changed();
    },

    /** Have a collection or a document go along. */
    pick({ id, kind, name }) {
      if (!chips.some((chip) => chip.id === id)) keep([...kept, numbered({ kind, name, id, state: "done" })]);
    },

    remove(key) {
      const chip = chips.find((found) => found.key === key);
      if (!chip) return;
      forget(key);
      if (isLeftOut(chip)) endUpload(chip);
      if (chip.kind === "file" && chip.state === "done") removeStored(chip);
    },

    retry(key) {
      const item = upload(key);
      if (item) uploads.retry(item.key);
    },

    /** What goes along with a message now, if anything: {ids, draft, chips}. What did not arrive stays behind. */
    attached() {
      const there = chips.filter(({ state }) => state === "done").map(asKept);
      if (!there.length) return undefined;
      const ids = there.filter(({ kind }) => kind !== "file").map(({ id }) => id);
      return { ids, draft: there.some(({ kind }) => kind === "file") ? draft : "", chips: there };
    },

    /** The message is on its way: the next one begins with nothing. */
    clear() {
      chips.filter(isLeftOut).forEach(endUpload);
      reset();
    },

    /** The message came back, and brings along what went with it. */
    restore(attached) {
      if (!attached) return;
      const isOurs = !draft || !attached.draft || draft === attached.draft;
      draft ||= attached.draft;
      // A message has one draft: files of another one go along by their own ids.
      const back = attached.chips.map((chip) => (isOurs || chip.kind !== "file" ? chip : { ...chip, kind: "document" }));
      const have = new Set(chips.map(({ id }) => id));
      keep([...back.filter(({ id }) => !have.has(id)).map(numbered), ...kept]);
    },

    /** What came back had arrived after all. */
    drop(attached) {
      const gone = new Set((attached?.chips ?? []).map(({ id }) => id));
      if (!gone.size) return;
      if (chips.every(({ id }) => gone.has(id))) reset();
      else keep(kept.filter(({ id }) => !gone.has(id)));
    },
  };
}
