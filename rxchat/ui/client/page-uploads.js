// Uploads into collections: the browser has the files, and uploads them while other pages are shown.
import { ask } from "./backend.js";
import { clientValue, setClientValue } from "./client-values.js";
import { receiveFiles } from "./page-files.js";
import { isOnItsWay, Uploads } from "./uploads.js";

const DISMISS_MS = 2500;
const NAMES_AT_A_TIME = 200;
const MOST_NAMED = 5;
const TARGET = "[data-uploads-to]";
/** @type {Map<string, Uploads>} */
const stores = new Map();
/** Files whose names are taken, until it is said what to do with them. */
let undecided = { files: /** @type {File[]} */ ([]), collection: "" };

/** How much of all of them has arrived, from 0 to 1, by their sizes. */
export function overallProgress(items) {
  const counted = items.filter(({ state }) => state !== "failed");
  const size = counted.reduce((sum, item) => sum + item.size, 0);
  return size ? counted.reduce((sum, item) => sum + item.size * item.progress, 0) / size : 1;
}

/** Python draws the client value `uploads`: {collection: {items, ids, done, failed, progress}}. */
function publish(collection) {
  const { items } = uploadsOf(collection);
  const count = (wanted) => items.filter(({ state }) => state === wanted).length;
  const shown = { items: items.map((item) => ({ ...item })), ids: items.map(({ id }) => id), done: count("done"), failed: count("failed") };
  setClientValue("uploads", { ...clientValue("uploads"), [collection]: { ...shown, progress: overallProgress(items) } });
  if (items.some(({ state, isThere }) => state === "done" && !isThere) && !items.some(isOnItsWay))
    setTimeout(() => uploadsOf(collection).clearDone(), DISMISS_MS);
}

/** The uploads into a collection, the same each time. */
function uploadsOf(collection) {
  const store = stores.get(collection) ?? new Uploads({ changed: () => publish(collection) });
  stores.set(collection, store);
  return store;
}

/** Pause, resume, retry or cancel an upload. */
export const withUpload = (collection, action, key) => uploadsOf(collection).act(action, key);

/** The names that documents of the collection have; the server knows how names are compared. None if it does not respond. */
export async function takenNames(collection, files) {
  const names = [...new Set([...files].map((file) => file.name))];
  const taken = new Set();
  for (let at = 0; at < names.length; at += NAMES_AT_A_TIME) {
    const part = { names: names.slice(at, at + NAMES_AT_A_TIME) };
    const { data } = await ask("POST", `/api/collections/${encodeURIComponent(collection)}/taken-names`, part);
    for (const name of data?.taken ?? []) taken.add(name);
  }
  return taken;
}

export function resolveTakenNames(choice) {
  const { files, collection } = undecided;
  if (choice) uploadsOf(collection).add(files, { collection, if_exists: choice });
  undecided = { files: [], collection: "" };
}

receiveFiles(TARGET, async (files) => {
  const collection = /** @type {HTMLElement | null} */ (document.querySelector(TARGET))?.dataset.uploadsTo ?? "";
  setClientValue("search_tab_of", "");
  const taken = await takenNames(collection, files);
  const free = files.filter((file) => !taken.has(file.name));
  const named = files.filter((file) => taken.has(file.name));
  if (free.length) uploadsOf(collection).add(free, { collection });
  if (!named.length) return;
  undecided = { files: named, collection };
  const names = named.map((file) => file.name);
  const subject = { names: names.slice(0, MOST_NAMED), more: Math.max(0, names.length - MOST_NAMED) };
  setClientValue("documents_dialog", { which: "taken-names", number: Date.now(), subject });
});

export const UploadsModule = () => null;
