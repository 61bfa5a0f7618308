// Sending files of conversations: only the browser has them, and only XMLHttpRequest says how much of one has arrived.
import { useEffect } from "react";
import { address, ask } from "./backend.js";
import { setClientValue } from "./client-values.js";
import { receiveFiles } from "./page-files.js";
import { refusalIn } from "./uploads.js";

const TARGET = "[data-imports-files]";
const LARGEST_BYTES = 200_000_000;
const AGAIN_MS = 1000;
const TOO_LARGE =
  "This file has 200 MB or more, which is the limit. Unpack it, and import only conversations.json or, from RxChat, the files in conversations.";
const UNREACHABLE = "The file could not be sent. Check the connection, and that the file was not moved or changed, and choose it again.";
const IDLE = { busy: false, name: "", progress: 0, problem: "" };

/** @type {File[]} */
const queue = [];
/** @type {XMLHttpRequest | null} */
let request = null;
let isSending = false;
let isCancelled = false;
let started = () => {};

const show = (status) => setClientValue("import_upload", { ...IDLE, ...status });

/** Send a file; gives "" or why it was refused. @param {File} file @returns {Promise<string>} */
function send(file) {
  return new Promise((resolve) => {
    const sent = new XMLHttpRequest();
    request = sent;
    sent.open("POST", address(`/api/imports?name=${encodeURIComponent(file.name)}`));
    sent.withCredentials = true;
    sent.setRequestHeader("Content-Type", "application/octet-stream");
    sent.upload.onprogress = ({ loaded, total }) => show({ busy: true, name: file.name, progress: total ? loaded / total : 0 });
    sent.onload = () => resolve(sent.status < 300 ? "" : refusalIn(sent.responseText, sent.status));
    sent.onerror = () => resolve(UNREACHABLE);
    sent.onabort = () => resolve("");
    sent.send(file);
  });
}

/** A user has one import at a time: wait for the end of one that runs. */
async function idle() {
  for (;;) {
    const { data, problem } = await ask("GET", "/api/imports");
    if (problem || !data.some(({ state }) => state === "running")) return;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function sendAll() {
  if (isSending) return;
  isSending = true;
  isCancelled = false;
  let problem = "";
  for (let file = queue.shift(); file && !problem; file = queue.shift()) {
    show({ busy: true, name: file.name });
    await idle();
    if (isCancelled) break;
    problem = file.size >= LARGEST_BYTES ? TOO_LARGE : await send(file);
    if (!problem) started();
    else if (queue.length) problem = `${file.name}: ${problem} The files after it were not sent.`;
  }
  queue.length = 0;
  request = null;
  isSending = false;
  show({ problem });
  isCancelled = false;
}

/** Stop sending; what has arrived whole is imported. */
export function cancelImport() {
  queue.length = 0;
  isCancelled = true;
  request?.abort();
}

receiveFiles(TARGET, (files) => {
  queue.push(...files);
  sendAll();
});

if (typeof window !== "undefined") window.addEventListener("beforeunload", (event) => void (isSending && event.preventDefault()));

/** Takes the files of the page; `onStarted` is called after each that has arrived. Shows nothing. */
export function ImportFiles({ onStarted }) {
  useEffect(() => {
    started = onStarted;
  }, [onStarted]);
  return null;
}
