// Files that are chosen, pasted, or dropped anywhere on the page: only the browser's own events have them.
import { setClientValue } from "./client-values.js";
import { isUploading } from "./uploads.js";

/** @type {Map<string, (files: File[]) => void>} */
const receivers = new Map();

/** Have files of a page with such an element go there. @param {string} place @param {(files: File[]) => void} add */
export const receiveFiles = (place, add) => void receivers.set(place, add);

const receiver = () => [...receivers].find(([place]) => document.querySelector(place))?.[1];
const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const setOver = (isOver) => setClientValue("files_over_page", isOver);

/** The files of a paste; none when it is text, which stays text. File managers paste the names of files as text, too. */
export function pastedFiles(data) {
  const files = [...(data?.files ?? [])];
  const text = (data?.getData("text/plain") ?? "").trim();
  if (!files.length || !text) return files;
  const names = new Set(files.map((file) => file.name));
  return text.split(/\r?\n/).every((line) => names.has(line.trim().split(/[\\/]/).pop())) ? files : [];
}

function take(event, files) {
  // A dialog is about something else.
  if (!files.length || document.querySelector("dialog:modal")) return;
  event.preventDefault();
  receiver()?.(files);
}

function dragged(event) {
  if (!holdsFiles(event) || !receiver()) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  setOver(event.type !== "drop" && !document.querySelector("dialog:modal"));
  if (event.type === "drop") take(event, [...event.dataTransfer.files]);
}

function chosen({ target }) {
  if (!target.matches("[data-adds-files]")) return;
  // The list is emptied with its field, so it is copied before: the same file may be chosen again.
  const files = [...target.files];
  target.value = "";
  if (files.length) receiver()?.(files);
}

if (typeof window !== "undefined" && typeof document !== "undefined") {
  for (const kind of ["dragenter", "dragover", "drop"]) window.addEventListener(kind, dragged);
  // It leaves the window when it enters nothing else.
  window.addEventListener("dragleave", ({ relatedTarget }) => void (relatedTarget || setOver(false)));
  window.addEventListener("keydown", ({ key }) => void (key === "Escape" && setOver(false)));
  window.addEventListener("paste", (event) => receiver() && take(event, pastedFiles(event.clipboardData)));
  document.addEventListener("change", chosen);
  window.addEventListener("beforeunload", (event) => void (isUploading() && event.preventDefault()));
}
