// What is attached on this page, for every conversation that was looked at: uploads go on while somebody looks elsewhere.
import { useSyncExternalStore } from "react";
import { createAttachments } from "./attach-state.js";
import { address, ask } from "./backend.js";
import { drafts, thread } from "./page-state.js";
import { createUploads } from "./uploads.js";
import { newId } from "./words.js";

const stores = new Map();
const place = (currentUser, conversation) => `${currentUser}:${conversation || "new"}`;

let isLeaving = false;
if (typeof window !== "undefined") {
  window.addEventListener("beforeunload", () => (isLeaving = true));
  window.addEventListener("pageshow", () => (isLeaving = false));
}

/** Delete a file that was taken out; a page that is left in that very moment does not keep it from happening. */
async function erase(id) {
  try {
    const response = await fetch(address(`/api/documents/${id}`), { method: "DELETE", credentials: "include", keepalive: true });
    if (response.ok || response.status === 404) return "";
    return (await response.json()).error.message;
  } catch {
    // The request goes on without this page, which alone hears nothing of it.
    return isLeaving ? "" : "It could not be removed. Try again in a moment.";
  }
}

function make(currentUser, conversation) {
  const at = { conversation };
  const store = createAttachments({
    makeUploads: (draft) => createUploads({ metadata: { draft } }),
    newId,
    save: (attached) => drafts.attach(currentUser, at.conversation, attached),
    erase,
    giveUp: (id) => void ask("DELETE", `/api/uploads/${id}`),
    stored: drafts.attached(currentUser, conversation),
  });
  return { ...store, moveTo: (next) => (at.conversation = next) };
}

/** The new chat became this conversation: what was attached there meanwhile goes along. */
function taken(currentUser, conversation) {
  const view = thread.view();
  const from = place(currentUser, "");
  if (!conversation || !view.born || view.tag !== conversation || !stores.has(from)) return null;
  const store = stores.get(from);
  stores.delete(from);
  drafts.move(currentUser, conversation);
  store.moveTo(conversation);
  return store;
}

/** What is attached to the message that is being written in a conversation, or in a new one. */
export function attachmentsOf(currentUser, conversation) {
  const key = place(currentUser, conversation);
  if (!stores.has(key)) stores.set(key, taken(currentUser, conversation) ?? make(currentUser, conversation));
  return stores.get(key);
}

const NONE = [];
const nobody = { subscribe: () => () => {}, snapshot: () => NONE };

/** The same for a component that shows it: [chips, what to do with them]; null as long as nobody knows who looks. */
export function useAttachments(currentUser, conversation) {
  const store = currentUser ? attachmentsOf(currentUser, conversation) : null;
  const { subscribe, snapshot } = store ?? nobody;
  return [useSyncExternalStore(subscribe, snapshot, snapshot), store];
}
