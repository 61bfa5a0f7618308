// What is attached to a message that is being written: uploads, and what was picked or stored before, kept for a page that is loaded again.
import { Uploads } from "./uploads.js";

/** Whether it will not go along unless the user does something about it. */
export const isLeftOut = ({ state }) => state === "failed" || state === "gone";
/** Whether it goes along with the message, which then needs no text. */
export const isThere = ({ state }) => state === "done";

/** Whether two messages bring the same along; nothing at all is the same as nothing. */
export function isSameAttached(one, other) {
  const said = (attached) => JSON.stringify([attached?.draft ?? "", [...(attached?.ids ?? [])].sort()]);
  return said(one) === said(other);
}

/** A longer text is not kept for a page that is loaded again: the storage of a browser has room for five million characters. */
const LONGEST_KEPT = 1_000_000;

function asKept({ kind, name, id, state, text = "" }) {
  if (state === "done") return { kind, name, id, state };
  return { kind, name, id, state: "gone", ...(text && text.length <= LONGEST_KEPT ? { text } : {}) };
}

/**
 * The attachments of the message that is being written in a conversation. `save` keeps {draft, chips} in the browser's storage,
 * `stored` is what it kept before; `erase(id)` deletes a document and gives "" or what went wrong. `giveBack(item, conversation)`
 * takes the `text` of a pasted one that could not be uploaded.
 */
export class Attachments {
  #saved = "";
  /** Called after each change. */
  changed = () => {};

  constructor({ conversation, newId, save, erase, stored, giveBack = (_item, _at) => {}, ...given }) {
    this.conversation = conversation;
    this.given = { newId, save, erase, giveBack };
    this.draft = stored?.draft ?? "";
    this.uploads = new Uploads({ ...given, changed: () => this.#change() });
    this.uploads.put(stored?.chips ?? []);
  }

  get items() {
    return this.uploads.items;
  }

  #change() {
    // A pasted text is nowhere but here, so it does not wait for a better time.
    for (const item of this.items.filter(({ text, state }) => text && (state === "failed" || state === "lost"))) {
      this.uploads.act("cancel", item.key);
      this.given.giveBack(item, this.conversation);
    }
    // Progress is no news to a page that is loaded again.
    const next = this.items.length ? { draft: this.draft, chips: this.items.map(asKept) } : undefined;
    const said = JSON.stringify(next ?? null);
    if (said !== this.#saved) this.given.save(next, this.conversation);
    this.#saved = said;
    this.changed();
  }

  /** Upload files for this message; one that was cut off and is chosen again takes its own place. */
  add(files, more = {}) {
    const names = new Set([...files].map((file) => file.name));
    for (const { key } of this.items.filter((item) => item.state === "gone" && names.has(item.name))) this.uploads.act("cancel", key);
    this.draft ||= this.given.newId();
    this.uploads.add(files, { draft: this.draft }, more);
  }

  /** Upload a text that was pasted, as this file; returns its key. */
  addText(file, text) {
    this.add([file], { text });
    return this.items.at(-1).key;
  }

  /** Have a collection or a document go along. */
  pick({ id, kind, name }) {
    if (!this.items.some((item) => item.id === id)) this.uploads.put([{ kind, name, id, state: "done" }]);
  }

  /** Take something out; a stored file is deleted, and comes back with the reason if it cannot be. */
  async remove(key) {
    const item = this.items.find((found) => found.key === key);
    this.uploads.act("cancel", key);
    if (item?.kind !== "file" || item.state !== "done" || this.items.some(({ id }) => id === item.id)) return;
    const problem = await this.given.erase(item.id);
    if (problem) this.uploads.put([{ ...item, error: problem }]);
  }

  /** What goes along with a message now, if anything: {ids, draft, chips}. What did not arrive stays behind. */
  attached() {
    const there = this.items.filter(isThere).map(asKept);
    if (!there.length) return undefined;
    const ids = there.filter(({ kind }) => kind !== "file").map(({ id }) => id);
    return { ids, draft: there.some(({ kind }) => kind === "file") ? this.draft : "", chips: there };
  }

  /** The message is on its way: the next one begins with nothing. */
  clear() {
    this.draft = "";
    for (const { key } of [...this.items]) this.uploads.act("cancel", key);
  }

  /** The message came back, and brings along what went with it. */
  restore(attached) {
    if (!attached) return;
    const isOurs = !this.draft || !attached.draft || this.draft === attached.draft;
    this.draft ||= attached.draft;
    const have = new Set(this.items.map(({ id }) => id));
    // A message has one draft: files of another one go along by their own ids.
    const back = attached.chips.map((chip) => (isOurs || chip.kind !== "file" ? chip : { ...chip, kind: "document" }));
    this.uploads.put(
      back.filter(({ id }) => !have.has(id)),
      0,
    );
  }

  /** What came back had arrived after all. */
  drop(attached) {
    const gone = new Set((attached?.chips ?? []).map(({ id }) => id));
    for (const { key } of this.items.filter(({ id }) => gone.has(id))) this.uploads.act("cancel", key);
    if (gone.size && !this.items.length) this.draft = "";
  }
}
