// Attachments by conversation: their uploads continue in the browser while the user looks at another one.
import { Attachments, isLeftOut, isThere } from "./attachments.js";
import { ask } from "./backend.js";
import { setClientValue } from "./client-values.js";
import { receiveFiles } from "./page-files.js";
import { drafts, refusal, viewed } from "./page-state.js";
import { isOnItsWay } from "./uploads.js";
import { newId } from "./words.js";

/** @type {Map<string, Attachments>} */
const stores = new Map();
const place = (currentUser, conversation) => `${currentUser}:${conversation || "new"}`;

let isLeaving = false;
if (typeof window !== "undefined") {
  for (const kind of ["beforeunload", "pageshow"]) {
    window.addEventListener(kind, ({ type }) => {
      isLeaving = type === "beforeunload";
    });
  }
}

/** Delete a removed file. If the page is left meanwhile, the request continues, but its answer is not seen. */
async function erase(id) {
  const { problem = "", code } = await ask("DELETE", `/api/documents/${id}`);
  return isLeaving || code === "not_found" ? "" : problem;
}

function make(currentUser, conversation) {
  const save = (attached, at) => drafts.attach(currentUser, at, attached);
  return new Attachments({ conversation, newId, save, erase, stored: drafts.attached(currentUser, conversation) });
}

/** The new chat became this conversation: what was attached there meanwhile goes along. */
function taken(currentUser, conversation) {
  const { born, tag } = viewed();
  const store = stores.get(place(currentUser, ""));
  if (!store || !conversation || !born || tag !== conversation) return null;
  stores.delete(place(currentUser, ""));
  drafts.move(currentUser, conversation);
  store.conversation = conversation;
  return store;
}

/** What is attached to the message that is being written in a conversation, or in a new one. */
export function attachmentsOf(currentUser, conversation) {
  const key = place(currentUser, conversation);
  const store = stores.get(key) ?? taken(currentUser, conversation) ?? make(currentUser, conversation);
  stores.set(key, store);
  return store;
}

/** @type {Attachments | null} */
let here = null;

function show() {
  const items = here?.items ?? [];
  setClientValue("attachments", {
    chips: items.map(({ key, kind, name, id, state, error, progress }) => ({ key, kind, name, id, state, error, percent: Math.floor(progress * 100) })),
    coming: items.filter(isOnItsWay).length,
    left_out: items.filter(isLeftOut).map(({ name }) => name),
    uploaded: items.flatMap((item) => (item.kind === "file" && isThere(item) ? item.id : [])).join(" "),
  });
}

/** Show what is attached there; returns the store, null while the user is unknown. */
export function showAttachments(currentUser, conversation) {
  if (here) here.changed = () => {};
  here = currentUser ? attachmentsOf(currentUser, conversation) : null;
  if (here) here.changed = show;
  show();
  return here;
}

export const removeAttachment = (key) => here?.remove(key);
export const retryAttachment = (key) => here?.uploads.act("retry", key);

receiveFiles("#composer", (files) => {
  refusal.set("");
  here?.add(files);
  document.getElementById("composer")?.focus();
});
