// Files that are chosen, or dropped anywhere on the window: only the browser's own events have them.
import { addFiles } from "./attach-page.js";
import { setClientValue } from "./client-values.js";

const brings = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
// A page without a composer takes no files in this way, and a dialog is about something else.
const isOurs = (event) => brings(event) && document.getElementById("composer") && !document.querySelector("dialog[open]");
const setOver = (isOver) => setClientValue("is_dragging_files", isOver);

function over(event) {
  if (!isOurs(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  setOver(true);
}

function drop(event) {
  setOver(false);
  if (!isOurs(event)) return;
  event.preventDefault();
  if (event.dataTransfer.files.length) addFiles(event.dataTransfer.files);
}

function choose({ target }) {
  if (!target.matches("[data-attach]")) return;
  // The list is emptied with its field, so it is copied before: the same file may be chosen again.
  const files = [...target.files];
  target.value = "";
  if (files.length) addFiles(files);
}

if (typeof window !== "undefined" && typeof document !== "undefined") {
  window.addEventListener("dragenter", over);
  window.addEventListener("dragover", over);
  // It leaves the window when it enters nothing else.
  window.addEventListener("dragleave", (event) => !event.relatedTarget && setOver(false));
  window.addEventListener("drop", drop);
  window.addEventListener("keydown", (event) => event.key === "Escape" && setOver(false));
  document.addEventListener("change", choose);
}
