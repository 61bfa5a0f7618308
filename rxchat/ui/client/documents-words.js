// What is said of documents: how far one has come, what is looked for, which words of a passage were asked for.

const STEPS = { uploading: "Uploading", stored: "Reading", parsed: "Splitting into passages", embedded: "Almost ready", ready: "Ready" };
const SHORTEST_STEM = 3;
// Words that every text has say nothing about why it was found.
const EVERYWHERE = new Set(
  "a an and are as at be by can did do does for from had has have how i in into is it its me my of on or our that the their they this to was we were what when where which who whom whose why will with you your".split(" "),
);

/** Whether text on pictures is being recognised, which takes long enough to be followed. */
export const isRecognised = ({ state, percent }) => state === "stored" && percent > 0;

/** How far a document has come, in words. */
export function stateWords({ state, percent, error }) {
  if (state === "failed") return error ? `Failed: ${error}` : "Failed";
  if (isRecognised({ state, percent })) return `Recognizing text ${percent} %`;
  if (state === "chunked") return `Embedding ${percent} %`;
  return STEPS[state] ?? "Waiting";
}

/** What is used while a newer version is not. */
export function pendingWords({ state, is_pending: isPending }) {
  if (!isPending) return "";
  return state === "failed" ? "The earlier version stays in use." : "The earlier version is used until this one is ready.";
}

export const isUnderWay = ({ state }) => !["ready", "failed"].includes(state);

export const FILTERS = [
  { value: "", label: "All" },
  { value: "ready", label: "Ready" },
  { value: "under-way", label: "Not ready yet" },
  { value: "failed", label: "Failed" },
];

/** The documents whose names hold all the words, and which are in the state. */
export function filtered(documents, words, filter) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return documents.filter((document) => {
    const name = document.name.toLowerCase();
    const fits = !filter || (filter === "under-way" ? isUnderWay(document) : document.state === filter);
    return fits && wanted.every((word) => name.includes(word));
  });
}

const BEFORE_MARKED = 120;

/** The same, beginning a little before the first word that was asked for: what is shown of a passage may be its first lines only. */
export function shownParts(text, question) {
  const parts = markedParts(text, question);
  if (parts.length < 2 || parts[0].isMarked || parts[0].text.length <= 2 * BEFORE_MARKED) return parts;
  const before = parts[0].text.slice(-BEFORE_MARKED).replace(/^\S*\s+/, "");
  return [{ text: `… ${before}`, isMarked: false }, ...parts.slice(1)];
}

/** A passage in parts, those with the words that were asked for marked: [{text, isMarked}]. */
export function markedParts(text, question) {
  const words = [...question.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)].map(([word]) => word);
  const telling = words.filter((word) => !EVERYWHERE.has(word));
  const asked = telling.length ? telling : words;
  const isAsked = (word) => asked.some((one) => word === one || (one.length >= SHORTEST_STEM && word.startsWith(one)));
  const parts = [];
  const push = (part, isMarked) => {
    if (!part) return;
    if (parts.length && parts.at(-1).isMarked === isMarked) parts.at(-1).text += part;
    else parts.push({ text: part, isMarked });
  };
  let end = 0;
  for (const match of text.matchAll(/[\p{L}\p{N}]+/gu)) {
    push(text.slice(end, match.index), false);
    push(match[0], isAsked(match[0].toLowerCase()));
    end = match.index + match[0].length;
  }
  push(text.slice(end), false);
  return parts;
}

/** Why a passage was found: "found by meaning #2, by words #5". */
export function foundWords({ vector_rank: meaning, text_rank: words }) {
  const ways = [meaning && `by meaning #${meaning}`, words && `by words #${words}`].filter(Boolean);
  return ways.length ? `found ${ways.join(", ")}` : "";
}

/** A size as people say it, as the server says it. */
export function spokenSize(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1000))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
