// Reads an answer aloud by the voices of the browser (speechSynthesis): there is no other way to them than a script of the page.
import { useEffect } from "react";
import { useParams } from "react-router";
import { setClientValue } from "./client-values.js";
import { copyOf, shownText } from "./plain-text.js";
import { sentencesOf, speechLanguage, voiceFor } from "./speech.js";

/** What an interruption by the page itself is called. */
const EXPECTED = ["canceled", "interrupted"];
const FAILED = "The browser could not read the answer aloud. It may have no voice for this language.";
const NOTHING = "There are no words to read aloud in this answer.";

const synthesis = typeof window === "undefined" ? undefined : window.speechSynthesis;

/** What is being read. The utterance is kept: Chromium forgets those that nothing refers to, and never says that they ended. */
let reading = /** @type {{ id: string, element: Element, left: string[], utterance?: SpeechSynthesisUtterance } | null} */ (null);

function stopReading() {
  if (!reading) return;
  reading = null;
  synthesis?.cancel();
  setClientValue("reading_aloud", "");
}

/** Read the next sentence, if the answer is still on the page. */
function next() {
  const now = reading;
  const words = now?.element.isConnected ? now.left.shift() : undefined;
  if (!now || !synthesis || words === undefined) return stopReading();
  const utterance = new SpeechSynthesisUtterance(words);
  now.utterance = utterance;
  utterance.lang = speechLanguage();
  utterance.voice = voiceFor(synthesis.getVoices(), utterance.lang) ?? null;
  utterance.onend = () => reading === now && next();
  utterance.onerror = ({ error }) => {
    if (reading !== now) return;
    if (!EXPECTED.includes(error)) setClientValue("problem_toast", FAILED);
    stopReading();
  };
  synthesis.speak(utterance);
  return undefined;
}

/** Read a message's words as they are shown, without its code and its diagrams. @param {string} id */
function readAloud(id) {
  stopReading();
  const element = document.querySelector(`#message-${CSS.escape(id)} .md`);
  if (!element || !synthesis) return;
  const copy = copyOf(element);
  for (const code of copy.querySelectorAll("pre, figure")) code.remove();
  const left = sentencesOf(shownText(copy), speechLanguage());
  if (!left.length) return setClientValue("problem_toast", NOTHING);
  reading = { id, element, left };
  setClientValue("reading_aloud", id);
  // What another page of this site left behind is not waited for.
  synthesis.cancel();
  next();
}

/** Read a message aloud, or stop if it is being read. @param {string} id */
export function toggleReading(id) {
  if (reading?.id === id) stopReading();
  else readAloud(id);
}

/** Ends the reading when its conversation is left; shows nothing. */
export function ReadAloudEnds() {
  const { conversation_id: conversation = "" } = useParams();
  useEffect(() => stopReading, [conversation]);
  return null;
}

if (synthesis) {
  setClientValue("can_read_aloud", true);
  // Browsers load their voices when they are first asked for.
  synthesis.getVoices();
  window.addEventListener("pagehide", stopReading);
}
