// A list of files on their way to the server, as the documents page and the composer each have one. Only the browser has the files;
// tus-js-client sends them in pieces, so that each resumes after a lost connection.
import { address, ask } from "./backend.js";

const AT_ONCE = 3;
const AGAIN_MS = 8000;
const CHUNK_BYTES = 16 * 1024 * 1024;
const RETRY_DELAYS = [300, 1000, 3000];
const UNREADABLE = "This file cannot be read: it was moved or changed, or it is a folder. Choose it again.";

/** @type {Uploads[]} */
const all = [];

export const isOnItsWay = ({ state }) => ["queued", "uploading", "lost", "paused"].includes(state);
/** Whether a file of any list would be cut off if the page was left. */
export const isUploading = () => all.some(({ items }) => items.some(isOnItsWay));

const loadTus = async () => (await import("tus-js-client")).Upload;
const withdrawUpload = (id) => ask("DELETE", `/api/uploads/${id}`);

/** Whether sending the same again cannot help: what the server refuses, but for what has come in the wrong order or too often. */
export function isFinal(status) {
  return status === 507 || (status >= 400 && status < 500 && ![409, 423, 429].includes(status));
}

/** The sentence of a refusal: {"error": {"message": ...}}. */
export function refusalIn(body, status) {
  try {
    return JSON.parse(body).error.message || `The request failed (status ${status}).`;
  } catch {
    return `The request failed (status ${status}). Try again in a moment.`;
  }
}

const statusOf = (error) => error.originalResponse?.getStatus() ?? 0;

/** The options of tus-js-client for a file; `tell` gets the changes of its item. */
function tusOptions(file, metadata, tell) {
  return {
    endpoint: address("/api/uploads"),
    chunkSize: CHUNK_BYTES,
    retryDelays: RETRY_DELAYS,
    storeFingerprintForResuming: false,
    metadata: { filename: file.name, ...metadata },
    onBeforeRequest: (request) => {
      request.getUnderlyingObject().withCredentials = true;
    },
    // What was there already is the document that counts, and the server says which.
    onAfterResponse: (_request, response) => {
      const id = response.getHeader("X-Document") ?? response.getHeader("Location")?.split("/").pop();
      const facts = { isThere: response.getHeader("X-Already-Exists") === "1", version: Number(response.getHeader("X-Version") ?? 1) };
      tell(id ? { id, ...facts } : facts);
    },
    onProgress: (sent, size) => tell({ state: "uploading", progress: size ? sent / size : 0 }),
    onShouldRetry: (error, attempt) => {
      if (isFinal(statusOf(error))) return false;
      if (attempt > 0) tell({ state: "lost" });
      return true;
    },
    onSuccess: () => tell({ state: "done", progress: 1 }),
    onError: (error) => {
      if (!error.originalRequest) tell({ state: "failed", error: UNREADABLE });
      else if (isFinal(statusOf(error))) tell({ state: "failed", error: refusalIn(error.originalResponse.getBody(), statusOf(error)) });
      else tell({ state: "lost" });
    },
  };
}

/** Start or resume a transfer, from the offset that the server names. */
const start = ({ transfer }) => transfer.abort().then(() => transfer.start());

/**
 * A list of uploads. `changed` is called after each change of `items`, which are {key, kind, name, size, id, state, progress,
 * error, isThere, version}. Their states: queued, uploading, paused, lost (the connection; it resumes on its own), done
 * and failed. One that is done says whether the same file was there already (`isThere`), and which version it is.
 */
export class Uploads {
  /** @type {any[]} */
  items = [];
  #count = 0;
  /** @type {any} */
  #timer = null;
  /** @type {any} */
  #Upload = null;

  constructor({ changed, loadUpload = loadTus, withdraw = withdrawUpload, again = AGAIN_MS }) {
    this.changed = changed;
    this.given = { loadUpload, withdraw, again };
    all.push(this);
    if (typeof window !== "undefined") window.addEventListener("online", () => this.goOn());
  }

  #made(given) {
    this.#count += 1;
    return { kind: "file", size: 0, id: "", state: "queued", progress: 0, error: "", isThere: false, version: 1, ...given, key: `${this.#count}` };
  }

  #change(item, changes) {
    Object.assign(item, changes);
    this.changed();
  }

  #keepOnly(kept) {
    this.items = kept;
    this.changed();
  }

  /** What its transfer says about an item; what one that was paused or given up still says does not count. */
  #hear(item, changes) {
    if (!this.items.includes(item) || !["uploading", "lost"].includes(item.state)) return;
    const isOver = changes.state === "done" || changes.state === "failed";
    this.#change(item, isOver ? { ...changes, transfer: null } : changes);
    if (isOver) this.#next();
    if (changes.state === "lost") this.#lose(item);
  }

  /** A lost connection and a deleted file cause the same error; reading the file shows which it was. */
  async #lose(item) {
    this.#goOnLater();
    try {
      await item.file.slice(0, 1).arrayBuffer();
    } catch {
      item.transfer?.abort();
      this.#hear(item, { state: "failed", error: UNREADABLE });
    }
  }

  /** Begin with as many of those that are queued as may go at once. */
  async #next() {
    if (!this.items.some(({ state }) => state === "queued")) return;
    try {
      this.#Upload ??= await this.given.loadUpload();
    } catch {
      this.#goOnLater();
      return;
    }
    const free = AT_ONCE - this.items.filter(({ state }) => state === "uploading" || state === "lost").length;
    for (const item of this.items.filter(({ state }) => state === "queued").slice(0, Math.max(0, free))) {
      item.transfer ??= new this.#Upload(
        item.file,
        tusOptions(item.file, item.metadata, (said) => this.#hear(item, said)),
      );
      this.#change(item, { state: "uploading" });
      start(item);
    }
  }

  #goOnLater() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.goOn(), this.given.again);
  }

  /** Resume lost uploads, for example when the browser is online again. */
  goOn() {
    const lost = this.items.filter(({ state }) => state === "lost");
    if (lost.length) this.#goOnLater();
    lost.forEach(start);
    this.#next();
  }

  /** Upload files; `metadata` says where they belong: {collection} or {draft}, and {if_exists}. `more` is for their items. */
  add(files, metadata, more = {}) {
    this.#keepOnly([...this.items, ...[...files].map((file) => this.#made({ ...more, file, metadata, name: file.name, size: file.size }))]);
    this.#next();
  }

  /** List things that need no upload, such as a file that was there before the page was loaded again. */
  put(things, at = this.items.length) {
    this.#keepOnly([...this.items.slice(0, at), ...things.map((thing) => this.#made(thing)), ...this.items.slice(at)]);
  }

  /** Pause, resume or retry an upload, where that is possible; cancel it, or take it off the list when it has ended. */
  act(action, key) {
    const item = this.items.find((found) => found.key === key);
    if (!item) return;
    if (action === "cancel") this.#cancel(item);
    else if (action === "pause" && isOnItsWay(item)) {
      item.transfer?.abort();
      this.#change(item, { state: "paused" });
    } else if (action === "resume" && item.state === "paused") this.#change(item, { state: "queued" });
    else if (action === "retry" && item.state === "failed") this.#change(item, { state: "queued", progress: 0, error: "", id: "" });
    this.#next();
  }

  #cancel(item) {
    this.#keepOnly(this.items.filter((other) => other !== item));
    item.transfer?.abort();
    if (item.id && item.state !== "done") this.given.withdraw(item.id);
  }

  /** Take those that are done off the list, but for those that were there already: this is news. */
  clearDone() {
    this.#keepOnly(this.items.filter(({ state, isThere }) => state !== "done" || isThere));
  }
}
