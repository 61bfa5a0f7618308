// Files on their way to the server: a few at a time, each to be paused, resumed, given up and tried again. No React here:
// the page of documents and the composer each show such a list as they like.

const AT_ONCE = 3;
const AGAIN = 8000;
const UNREADABLE = "This file cannot be read: it was moved or changed, or it is a folder. Choose it again.";
const ON_THEIR_WAY = ["queued", "uploading", "lost"];

/** The module that knows the protocol is loaded with the first file. */
async function overTus(...given) {
  const { tusTransfer } = await import("./uploads-tus.js");
  return tusTransfer(...given);
}

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

const isOver = ({ state, isThere }) => state === "done" && !isThere;

export const isOnItsWay = (item) => ON_THEIR_WAY.includes(item.state) || item.state === "paused";

/** "7 of 10 uploaded"; "" when there is nothing to sum up. */
export function spokenUploads(items) {
  if (items.length < 2) return "";
  const [done, failed] = ["done", "failed"].map((state) => items.filter((item) => item.state === state).length);
  return `${done} of ${items.length} uploaded${failed ? `, ${failed} failed` : ""}`;
}

/** A size as people say it, as the server says it. */
export function spokenSize(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1000))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** How much of all of them has arrived, from 0 to 1, by their sizes. */
export function overallProgress(items) {
  const counted = items.filter((item) => item.state !== "failed");
  const size = counted.reduce((sum, item) => sum + item.size, 0);
  return size ? counted.reduce((sum, item) => sum + item.size * item.progress, 0) / size : 1;
}

/**
 * A list of uploads. `metadata` says where they go: {collection: id} or {draft: uuid}. `subscribe` and `snapshot` are what
 * useSyncExternalStore takes; each item is {key, name, size, progress, state, error, documentId}, where the state is queued,
 * uploading, paused, lost (the line is broken; it goes on by itself), done or failed; one that is done says of itself
 * `isThere` (the same file was there already) and which `version` it is. What `add` is given beside files goes into their metadata.
 */
export function createUploads({ metadata, transfer = overTus, atOnce = AT_ONCE, again = AGAIN }) {
  let items = [];
  let count = 0;
  let timer = 0;
  const files = new Map();
  const wishes = new Map();
  const transfers = new Map();
  const listeners = new Set();
  const find = (key) => items.find((item) => item.key === key);

  const publish = (next) => {
    items = next;
    for (const listener of [...listeners]) listener();
  };
  const change = (key, more) => publish(items.map((item) => (item.key === key ? { ...item, ...more } : item)));

  /** What a transfer tells; what one that was paused or given up meanwhile tells does not count. */
  function tellFor(key, isCurrent) {
    const whenOnItsWay = (act) => (...given) => {
      if (isCurrent() && ["uploading", "lost"].includes(find(key)?.state)) act(...given);
    };
    return {
      begun: (documentId) => isCurrent() && change(key, { documentId }),
      progress: whenOnItsWay((progress) => change(key, { progress, state: "uploading" })),
      lost: whenOnItsWay(() => lose(key)),
      failed: whenOnItsWay((error) => {
        transfers.delete(key);
        change(key, { state: "failed", error });
        next();
      }),
      done: whenOnItsWay((documentId, { isThere = false, version = 1 } = {}) => {
        transfers.delete(key);
        files.delete(key);
        change(key, { state: "done", progress: 1, documentId, isThere, version });
        next();
      }),
    };
  }

  /** A lost connection and a deleted file cause the same error; reading the file shows which it was. */
  async function lose(key) {
    change(key, { state: "lost" });
    clearTimeout(timer);
    timer = setTimeout(goOn, again);
    try {
      await files.get(key)?.slice(0, 1).arrayBuffer();
    } catch {
      if (find(key)?.state !== "lost") return;
      transfers.get(key)?.stop();
      transfers.delete(key);
      change(key, { state: "failed", error: UNREADABLE });
      next();
    }
  }

  /** Try again whatever was lost, such as when the browser says that there is a line again. */
  function goOn() {
    clearTimeout(timer);
    const lost = items.filter((item) => item.state === "lost");
    if (lost.length) timer = setTimeout(goOn, again);
    for (const { key } of lost) {
      if (transfers.has(key)) transfers.get(key).go();
      else begin(key);
    }
  }

  async function begin(key) {
    change(key, { state: "uploading", error: "" });
    const known = transfers.get(key);
    if (known) {
      known.go();
      return;
    }
    const file = files.get(key);
    let made;
    try {
      made = await transfer(file, { ...metadata, ...wishes.get(key) }, tellFor(key, () => transfers.get(key) === made));
    } catch {
      if (find(key)) lose(key);
      return;
    }
    if (!find(key)) return;
    transfers.set(key, made);
    if (find(key).state === "uploading") made.go();
  }

  function next() {
    const free = atOnce - items.filter((item) => ["uploading", "lost"].includes(item.state)).length;
    for (const item of items.filter(({ state }) => state === "queued").slice(0, Math.max(0, free))) begin(item.key);
  }

  function add(chosen, wish = {}) {
    const added = [...chosen].map((file) => {
      count += 1;
      const key = `${count}`;
      files.set(key, file);
      wishes.set(key, wish);
      return { key, name: file.name, size: file.size, progress: 0, state: "queued", error: "", documentId: "" };
    });
    publish([...items, ...added]);
    next();
  }

  function pause(key) {
    if (!ON_THEIR_WAY.includes(find(key)?.state)) return;
    change(key, { state: "paused" });
    transfers.get(key)?.stop();
    next();
  }

  const resume = (key) => {
    if (find(key)?.state !== "paused") return;
    change(key, { state: "queued" });
    next();
  };

  const retry = (key) => {
    if (find(key)?.state !== "failed") return;
    change(key, { state: "queued", progress: 0, error: "", documentId: "" });
    next();
  };

  /** Give one up, or take one that has ended off the list. */
  function cancel(key) {
    if (!find(key)) return;
    const [given, isEnded] = [transfers.get(key), ["done", "failed"].includes(find(key).state)];
    transfers.delete(key);
    files.delete(key);
    publish(items.filter((item) => item.key !== key));
    if (given && !isEnded) given.giveUp();
    next();
  }

  /** Take those that are done off the list, but for those that were there already: this is news. */
  const clearDone = () => items.some(isOver) && publish(items.filter((item) => !isOver(item)));

  if (typeof window !== "undefined") window.addEventListener("online", goOn);

  function dispose() {
    clearTimeout(timer);
    if (typeof window !== "undefined") window.removeEventListener("online", goOn);
    for (const one of transfers.values()) one.stop();
    transfers.clear();
    listeners.clear();
  }

  return {
    add, pause, resume, cancel, retry, clearDone, goOn, dispose,
    get list() {
      return items;
    },
    snapshot: () => items,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
