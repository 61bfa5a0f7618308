// What is attached, by conversation: uploads go on in the browser while the user looks at another one.
import { Attachments, isComing, isLeftOut } from "./attach-state.js";
import { address, ask } from "./backend.js";
import { setClientValue } from "./client-values.js";
import { drafts, refusal, viewed } from "./page-state.js";
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
  const store = new Attachments({
    makeUploads: (draft) => createUploads({ metadata: { draft } }),
    newId,
    save: (attached) => drafts.attach(currentUser, at.conversation, attached),
    erase,
    giveUp: (id) => void ask("DELETE", `/api/uploads/${id}`),
    stored: drafts.attached(currentUser, conversation),
  });
  return Object.assign(store, { moveTo: (next) => (at.conversation = next) });
}

/** The new chat became this conversation: what was attached there meanwhile goes along. */
function taken(currentUser, conversation) {
  const { born, tag } = viewed();
  const from = place(currentUser, "");
  if (!conversation || !born || tag !== conversation || !stores.has(from)) return null;
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

let here = null;

/** As Python draws a chip. */
const shownChip = (chip) => ({
  ...chip,
  error: chip.error ?? "",
  percent: Math.floor(chip.progress * 100),
  is_coming: isComing(chip),
  is_left_out: isLeftOut(chip),
});

/** Show what is attached there, in the client value `attachments`. Returns the store (null while the user is unknown), and what ends it. */
export function showAttachments(currentUser, conversation) {
  const store = currentUser ? attachmentsOf(currentUser, conversation) : null;
  const show = () => setClientValue("attachments", (store?.snapshot() ?? []).map(shownChip));
  here = store;
  show();
  return [store, store?.subscribe(show)];
}

/** Upload files for the message that is being written. */
export function addFiles(files) {
  refusal.set("");
  here?.add(files);
  document.getElementById("composer")?.focus();
}
export const removeAttachment = (key) => here?.remove(key);
export const retryAttachment = (key) => here?.retry(key);
