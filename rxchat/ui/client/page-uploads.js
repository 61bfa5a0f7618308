// Uploads into collections, which go on while other pages are shown: files come by an input, a drop anywhere on the page, or a paste.
import { ask } from "./backend.js";
import { clientValue, setClientValue } from "./client-values.js";
import { createUploads, isOnItsWay, overallProgress, spokenSize, spokenUploads } from "./uploads.js";

const DISMISS_MS = 2500;
const NAMES_AT_A_TIME = 200;
const MOST_NAMED = 5;
const WORDS = { queued: "Queued", paused: "Paused", lost: "Connection lost: the upload will resume on its own", done: "Uploaded" };
const stores = new Map();
/** Files whose names are taken, until it is said what to do with them. */
let undecided = { files: [], uploads: null };

function words({ state, progress, size, error, isThere, version }) {
  if (state === "failed") return error;
  if (isThere) return "This file already exists: nothing was added.";
  if (state === "done" && version > 1) return `Uploaded as version ${version}`;
  const percent = Math.floor(progress * 100);
  if (state === "uploading") return percent < 100 ? `${percent} % of ${spokenSize(size)}` : "Saving";
  return WORDS[state];
}

/** Python draws the client value `uploads`: {collection: {items, ids, summary, progress}}. */
function publish(collection, uploads) {
  const { list } = uploads;
  const items = list.map((item) => ({ ...item, words: words(item), isEnded: ["done", "failed"].includes(item.state) }));
  const shown = { items, ids: list.map(({ documentId }) => documentId), summary: spokenUploads(list), progress: overallProgress(list) };
  setClientValue("uploads", { ...clientValue("uploads"), [collection]: shown });
  if (list.some(({ state, isThere }) => state === "done" && !isThere) && !list.some(isOnItsWay)) setTimeout(uploads.clearDone, DISMISS_MS);
}

/** The uploads into a collection, the same each time. */
function uploadsOf(collection) {
  if (!stores.has(collection)) {
    const uploads = createUploads({ metadata: { collection } });
    uploads.subscribe(() => publish(collection, uploads));
    stores.set(collection, uploads);
  }
  return stores.get(collection);
}

/** Pause, resume, retry or cancel an upload. */
export const withUpload = (collection, action, key) => uploadsOf(collection)[action](key);

/** The names that documents of the collection have; the server knows how names are compared. None if it does not respond. */
export async function takenNames(collection, files, send = ask) {
  const names = [...new Set([...files].map((file) => file.name))];
  const taken = new Set();
  for (let at = 0; at < names.length; at += NAMES_AT_A_TIME) {
    const { data } = await send("POST", `/api/collections/${encodeURIComponent(collection)}/taken-names`, { names: names.slice(at, at + NAMES_AT_A_TIME) });
    for (const name of data?.taken ?? []) taken.add(name);
  }
  return taken;
}

export function resolveTakenNames(choice) {
  if (choice) undecided.uploads.add(undecided.files, { if_exists: choice });
  undecided = { files: [], uploads: null };
}

const target = () => document.querySelector("[data-uploads-to]")?.dataset.uploadsTo;

async function add(files) {
  const collection = target();
  if (!files.length || !collection) return;
  setClientValue("search_tab_of", "");
  const taken = await takenNames(collection, files);
  const free = files.filter((file) => !taken.has(file.name));
  const named = files.filter((file) => taken.has(file.name));
  const uploads = uploadsOf(collection);
  if (free.length) uploads.add(free);
  if (!named.length) return;
  undecided = { files: named, uploads };
  const names = named.map((file) => file.name);
  const subject = { names: names.slice(0, MOST_NAMED), more: Math.max(0, names.length - MOST_NAMED) };
  setClientValue("documents_dialog", { which: "taken-names", number: Date.now(), subject });
}

function listen() {
  // Each element that the pointer enters has an event; the page is left when as many were left.
  let depth = 0;
  const enter = (step) => {
    depth = Math.max(0, depth + step);
    setClientValue("files_over_page", depth > 0);
  };
  const holdsFiles = ({ dataTransfer }) => [...(dataTransfer?.types ?? [])].includes("Files");
  const onDrag = (kind, act) => window.addEventListener(kind, (event) => target() && holdsFiles(event) && act(event));
  onDrag("dragenter", () => enter(1));
  onDrag("dragleave", () => enter(-1));
  onDrag("dragover", (event) => event.preventDefault());
  onDrag("drop", (event) => {
    event.preventDefault();
    enter(-depth);
    add([...event.dataTransfer.files]);
  });
  window.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!target() || !files.length) return;
    event.preventDefault();
    add(files);
  });
  document.addEventListener("change", ({ target: input }) => {
    if (!input.matches("[data-adds-files]")) return;
    add([...input.files]);
    input.value = "";
  });
  window.addEventListener("beforeunload", (event) => {
    if ([...stores.values()].some(({ list }) => list.some(isOnItsWay))) event.preventDefault();
  });
}

if (typeof window !== "undefined" && typeof document !== "undefined") listen();

export const UploadsModule = () => null;
