// What is attached to the message that is being written. In JavaScript, since the files are in the browser until they are uploaded.

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
export class Attachments {
  #uploads = null;
  #count = 0;
  #listeners = new Set();
  #saved = "";

  constructor({ makeUploads, newId, save = () => {}, erase, giveUp, stored }) {
    this.given = { makeUploads, newId, save, erase, giveUp };
    this.draft = stored?.draft ?? "";
    this.kept = (stored?.chips ?? []).map((chip) => this.#numbered(chip));
    this.chips = this.kept;
  }

  #numbered(chip) {
    this.#count += 1;
    return { ...chip, key: `k${this.#count}`, progress: 0, error: chip.state === "gone" ? CUT_OFF : "" };
  }

  #changed() {
    this.chips = [...this.kept, ...(this.#uploads?.snapshot() ?? []).map(asChip)];
    const next = this.chips.length ? { draft: this.draft, chips: this.chips.map(asKept) } : undefined;
    // Progress is no news to a page that is loaded again.
    const said = JSON.stringify(next ?? null);
    if (said !== this.#saved) this.given.save(next);
    this.#saved = said;
    for (const listener of [...this.#listeners]) listener();
  }

  #keep(next) {
    this.kept = next;
    this.#changed();
  }

  #upload(key) {
    return this.#uploads?.snapshot().find((item) => `u${item.key}` === key);
  }

  #endUpload({ id }) {
    if (id) this.given.giveUp(id);
  }

  #reset() {
    this.#uploads?.dispose();
    this.#uploads = null;
    this.draft = "";
    this.#keep([]);
  }

  snapshot() {
    return this.chips;
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Upload files for this message; one that was cut off and is chosen again takes its own place. */
  add(files) {
    const names = new Set([...files].map((file) => file.name));
    const isAgain = (chip) => chip.state === "gone" && names.has(chip.name);
    this.kept.filter(isAgain).forEach((chip) => this.#endUpload(chip));
    this.kept = this.kept.filter((chip) => !isAgain(chip));
    this.draft ||= this.given.newId();
    if (!this.#uploads) {
      this.#uploads = this.given.makeUploads(this.draft);
      this.#uploads.subscribe(() => this.#changed());
    }
    this.#uploads.add(files);
    this.#changed();
  }

  /** Have a collection or a document go along. */
  pick({ id, kind, name }) {
    if (!this.chips.some((chip) => chip.id === id)) this.#keep([...this.kept, this.#numbered({ kind, name, id, state: "done" })]);
  }

  /** Take something out; a stored file is deleted, and comes back with the reason if it cannot be. */
  async remove(key) {
    const chip = this.chips.find((found) => found.key === key);
    if (!chip) return;
    const item = this.#upload(key);
    if (item) this.#uploads.cancel(item.key);
    else this.#keep(this.kept.filter((other) => other.key !== key));
    if (isLeftOut(chip)) this.#endUpload(chip);
    if (chip.kind !== "file" || chip.state !== "done" || this.chips.some((other) => other.id === chip.id)) return;
    const problem = await this.given.erase(chip.id);
    if (problem) this.#keep([...this.kept, { ...this.#numbered(chip), error: problem }]);
  }

  retry(key) {
    const item = this.#upload(key);
    if (item) this.#uploads.retry(item.key);
  }

  /** What goes along with a message now, if anything: {ids, draft, chips}. What did not arrive stays behind. */
  attached() {
    const there = this.chips.filter(isThere).map(asKept);
    if (!there.length) return undefined;
    const ids = there.filter(({ kind }) => kind !== "file").map(({ id }) => id);
    return { ids, draft: there.some(({ kind }) => kind === "file") ? this.draft : "", chips: there };
  }

  /** The message is on its way: the next one begins with nothing. */
  clear() {
    this.chips.filter(isLeftOut).forEach((chip) => this.#endUpload(chip));
    this.#reset();
  }

  /** The message came back, and brings along what went with it. */
  restore(attached) {
    if (!attached) return;
    const isOurs = !this.draft || !attached.draft || this.draft === attached.draft;
    this.draft ||= attached.draft;
    // A message has one draft: files of another one go along by their own ids.
    const back = attached.chips.map((chip) => (isOurs || chip.kind !== "file" ? chip : { ...chip, kind: "document" }));
    const have = new Set(this.chips.map(({ id }) => id));
    this.#keep([...back.filter(({ id }) => !have.has(id)).map((chip) => this.#numbered(chip)), ...this.kept]);
  }

  /** What came back had arrived after all. */
  drop(attached) {
    const gone = new Set((attached?.chips ?? []).map(({ id }) => id));
    if (!gone.size) return;
    if (this.chips.every(({ id }) => gone.has(id))) this.#reset();
    else this.#keep(this.kept.filter(({ id }) => !gone.has(id)));
  }
}
