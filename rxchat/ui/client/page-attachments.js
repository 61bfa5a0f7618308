// Attachments by conversation: their uploads continue in the browser while the user looks at another one.
import { Attachments, isLeftOut, isThere } from "./attachments.js";
import { ask } from "./backend.js";
import { clientValue, setClientValue } from "./client-values.js";
import { insertText } from "./composer-insert.js";
import { receiveFiles } from "./page-files.js";
import { drafts, refusal, viewed } from "./page-state.js";
import { nameOfText } from "./pasted-text.js";
import { isOnItsWay } from "./uploads.js";
import { isPicture, newId } from "./words.js";

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

/** Have texts in a draft whose composer is not on screen. */
function addToDraft(currentUser, conversation, texts) {
  drafts.type(currentUser, conversation, [drafts.load(currentUser, conversation), ...texts].filter(Boolean).join("\n\n"));
}

/** What was attached before the page was loaded. A pasted text that was still on its way is a part of the draft again. */
function storedAttachments(currentUser, conversation) {
  const stored = drafts.attached(currentUser, conversation);
  const texts = (stored?.chips ?? []).flatMap(({ text }) => text ?? []);
  if (!stored || !texts.length) return stored;
  const chips = stored.chips.filter(({ text }) => !text);
  addToDraft(currentUser, conversation, texts);
  drafts.attach(currentUser, conversation, chips.length ? { ...stored, chips } : undefined);
  return { ...stored, chips };
}

function make(currentUser, conversation) {
  const save = (attached, at) => drafts.attach(currentUser, at, attached);
  const giveBack = ({ text, error }, at) => {
    if (here !== store || !insertText(text)) addToDraft(currentUser, at, [text]);
    const reason = error || "The server cannot be reached.";
    if (here === store) refusal.set(`The text you pasted was not attached, and is in your message instead. ${reason}`);
  };
  const store = new Attachments({ conversation, newId, save, erase, giveBack, stored: storedAttachments(currentUser, conversation) });
  return store;
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
/** The text that was pasted last, while it may become one again. */
let pasted = /** @type {{ store: Attachments, key: string, text: string, shown: { name: string, key: string } } | null} */ (null);
const NOTHING_PASTED = { name: "", key: "" };

function show() {
  if (pasted && (pasted.store !== here || !here.items.some(({ key }) => key === pasted?.key))) pasted = null;
  setClientValue("pasted_text", pasted?.shown ?? NOTHING_PASTED);
  const items = here?.items ?? [];
  setClientValue("attachments", {
    chips: items.map(({ key, kind, name, id, state, error, progress }) => ({ key, kind, name, id, state, error, percent: Math.floor(progress * 100) })),
    coming: items.filter(isOnItsWay).length,
    left_out: items.filter(isLeftOut).map(({ name }) => name),
    pictures: items.filter((item) => isThere(item) && isPicture(item.name)).length,
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

/** Attach a long text that is pasted; false if that cannot be now, and it has to stay a text. @param {string} text */
export function attachText(text) {
  if (!here || !navigator.onLine || clientValue("is_offline")) return false;
  refusal.set("");
  const names = here.items.map((item) => item.name);
  const file = new File([text], nameOfText(text, names), { type: "text/plain" });
  const key = here.addText(file, text);
  pasted = { store: here, key, text, shown: { name: file.name, key } };
  show();
  return true;
}

/** Leave the text that was pasted last an attachment. */
export function keepPasted() {
  pasted = null;
  show();
}

/** Have it in the field instead. */
export function pasteAsText() {
  if (!pasted) return;
  const { store, key, text } = pasted;
  keepPasted();
  if (insertText(text)) store.remove(key);
}

receiveFiles("#composer", (files) => {
  refusal.set("");
  here?.add(files);
  document.getElementById("composer")?.focus();
});
