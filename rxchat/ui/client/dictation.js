// Dictation by the speech recognition of the browser, which only a script of the page can begin and hear.
import { browserPreference, setBrowserPreference } from "./browser-preferences.js";
import { setClientValue } from "./client-values.js";
import { insertText } from "./composer-insert.js";
import { isComposing } from "./composition.js";
import { refusal } from "./page-state.js";
import { speechLanguage } from "./speech.js";

const NOT_ALLOWED = "This browser does not let RxChat use the microphone. Allow it for this site in the browser’s settings, then dictate again.";
const FAILED = "The browser could not turn speech into text. Try again in a moment.";
/** @type {Record<string, string>} */
const PROBLEMS = {
  "not-allowed": NOT_ALLOWED,
  "service-not-allowed": NOT_ALLOWED,
  "audio-capture": "The browser found no microphone. Connect one, then dictate again.",
  network: "The browser’s speech service cannot be reached. Check your connection, then dictate again.",
  "no-speech": "The microphone heard no words. Check that it is not muted, then dictate again.",
  "language-not-supported": "The browser cannot turn speech of this language into text.",
};
const OFF = { is_on: false, interim: "" };

/** @type {any} */
const browser = typeof window === "undefined" ? {} : window;
const Recognition = browser.isSecureContext ? (browser.SpeechRecognition ?? browser.webkitSpeechRecognition) : undefined;

/** @type {any} */
let listening = null;
/** Words that were heard, and may still be heard otherwise. */
let interim = "";

const show = () => setClientValue("dictation", listening ? { is_on: true, interim } : OFF);

/** End at once; returns the words that were heard and are not in the text yet. */
export function endDictation() {
  const [ended, words] = [listening, interim];
  [listening, interim] = [null, ""];
  if (!ended) return "";
  browser.removeEventListener("keydown", onKey);
  ended.abort();
  show();
  return words;
}

/** End when the browser has understood what was said. */
export const stopDictation = () => void listening?.stop();

function onKey(event) {
  if (event.key === "Escape" && !isComposing(event)) stopDictation();
}

/** Put what is certain at the caret, and show the rest; `taken` is how many results are in the text. */
function hear(results, taken) {
  const all = [...results];
  const words = (some) => some.map((result) => result[0].transcript).join("");
  const certain = all.filter((result) => result.isFinal).length;
  const said = words(all.filter((result) => result.isFinal).slice(taken));
  interim = words(all.filter((result) => !result.isFinal));
  if (said.trim()) insertText(said, true);
  show();
  return Math.max(taken, certain);
}

function fail(problem) {
  endDictation();
  refusal.set(problem);
}

function start() {
  const made = new Recognition();
  let taken = 0;
  made.lang = speechLanguage();
  made.interimResults = true;
  // Phones repeat themselves when they listen on; there it ends at a pause.
  made.continuous = !matchMedia("(pointer: coarse)").matches;
  made.onresult = ({ results }) => {
    if (made === listening) taken = hear(results, taken);
  };
  made.onerror = ({ error }) => {
    if (made === listening && error !== "aborted") fail(PROBLEMS[error] ?? FAILED);
  };
  made.onend = () => {
    if (made !== listening) return;
    const rest = endDictation();
    if (rest.trim()) insertText(rest, true);
  };
  refusal.set("");
  listening = made;
  browser.addEventListener("keydown", onKey);
  show();
  try {
    made.start();
  } catch {
    fail(FAILED);
  }
}

/** The button: the first time, it is said where the words may go. */
export function toggleDictation() {
  if (listening) stopDictation();
  else if (browserPreference("dictation") === "on") start();
  else setClientValue("dictation_dialog", { which: "ask", number: Date.now(), subject: {} });
}

/** The user agrees, for this browser. */
export function allowDictation() {
  setBrowserPreference("dictation", "on");
  start();
}

if (Recognition) setClientValue("can_dictate", true);
