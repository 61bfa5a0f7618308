// Small pure functions about text: addresses, times, counts.

export const LONGEST_MESSAGE = 100000;

/** First segments of the pages' paths, the home page's aside (PAGES in domain/text.py). */
const PAGES = [
  "c",
  "archive",
  "history",
  "temporary",
  "prompts",
  "assistants",
  "documents",
  "account",
  "admin",
  "sign-in",
  "setup",
  "shared",
  "register",
  "join",
  "forgot",
  "reset",
  "confirm",
];
// Nothing that a browser, a proxy or the server would decode or remove: no percent sign, dot or semicolon.
const PAGE_PATH = /^\/(?:([A-Za-z0-9_-]+)(?:\/[A-Za-z0-9_-]+)*\/?)?$/;

/**
 * Where to go next if it is the address of a page of this site, else "/". same_site_path in domain/text.py decides alike;
 * both pass the cases of tests/support/next_cases.json.
 */
export function sameSitePath(next) {
  if (typeof next !== "string" || next.length > 1000 || /(?! )[\\\p{C}\p{Z}]/u.test(next)) return "/";
  const found = PAGE_PATH.exec(next.split(/[?#]/, 1)[0]);
  return found && (found[1] === undefined || PAGES.includes(found[1])) ? next : "/";
}

/** A link that a model wrote, if it may be followed: absolute http(s) and mail only. */
export function outboundLink(href) {
  if (typeof href !== "string") return "";
  try {
    const url = new URL(href);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

/** Where an address leads, in the words that a reader knows it by: its host, or whom a mail is for. @param {string} address */
export function hostOf(address) {
  const url = new URL(address);
  return url.host || url.pathname;
}

/** "0.8 s", "12 s", "2 min 5 s". */
export function spokenSeconds(seconds) {
  if (!(seconds >= 0)) return "";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

/** A guess while the answer streams; the server counts, and says so at the end. Four characters are about a token. */
export function guessedRate(characters, seconds) {
  return seconds > 0.5 && characters > 0 ? Math.round(characters / 4 / seconds) : 0;
}

export function spokenRate(tokensPerSecond) {
  if (!(tokensPerSecond > 0)) return "";
  return `${tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : Math.round(tokensPerSecond)} tokens/s`;
}

/** What is wrong with a message before it is sent, or "": as the server counts and says it. */
export function tooLong(text) {
  if (text.length <= LONGEST_MESSAGE) return "";
  // The server counts characters, of which an emoji is one.
  const count = Array.from(text.trim()).length;
  if (count <= LONGEST_MESSAGE) return "";
  const [has, most] = [count, LONGEST_MESSAGE].map((number) => number.toLocaleString("en"));
  return `This message has ${has} characters; the maximum is ${most}. Shorten it or send it in parts.`;
}

/** The id of a new message, a UUIDv7 (RFC 9562): a message that is sent twice after a lost connection is asked once. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setUint32(0, Math.floor(Date.now() / 0x10000));
  new DataView(bytes.buffer).setUint16(4, Date.now() % 0x10000);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** How long one still has to wait: "1 second", "45 seconds", "2:05 minutes". */
export function waitWords(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  if (left === 1) return "1 second";
  if (left < 60) return `${left} seconds`;
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} minutes`;
}

/** Whether a file with this name is a picture that models can see, and the page shows. @param {string} name */
export const isPicture = (name) => /\.(png|jpe?g|webp|gif)$/i.test(name);

/** "1 document", "3 documents". */
export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** A size in words, as the server gives it: "12 kB", "1.5 MB". */
export function sizeWords(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1000))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** A cell of a table for a spreadsheet, which must not run a model's words as a formula (OWASP: CSV injection). */
export const inertCell = (cell) => (/^[=@\t\r]|^[+-](?![\d.,\s]*%?$)/.test(cell) ? `'${cell}` : cell);
