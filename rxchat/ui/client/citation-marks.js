// Checked citations in an answer's text: each mark becomes links that no model can write, from which chips are drawn.
// No React and no DOM in here, so that the rules can be tested alone.

const PLACE = "#cite-";
const MARK = /^(?:\[[^\]\n]*\]|【[^】\n]*】)$/;

/** What only this load of the page knows: a model that wrote such a link would have had to guess it. */
export const newNonce = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The marks of a text, in order: {at, end, indexes}; several citations can share one. What is no mark is left alone. */
export function marksOf(text, citations) {
  const found = new Map();
  citations.forEach(({ at, length }, index) => {
    const mark = found.get(at) ?? { at, end: at + length, indexes: [] };
    mark.indexes.push(index);
    found.set(at, mark);
  });
  let last = 0;
  return [...found.values()]
    .sort((one, other) => one.at - other.at)
    .filter(({ at, end }) => {
      const isGood = at >= last && end <= text.length && MARK.test(text.slice(at, end));
      if (isGood) last = end;
      return isGood;
    });
}

/** Where the link ends in whose words a mark stands: a link in a link would be none. -1 when it stands in none. */
function endOfLink(text, { at, end }) {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  if (line.lastIndexOf("[") <= line.lastIndexOf("]")) return -1;
  const rest = /^[^[\]\n]*\]\([^()\s]*(?:\s+"[^"\n]*")?\)/.exec(text.slice(end));
  return rest ? end + rest[0].length : -1;
}

/** The text with links in the place of its marks. */
export function linkedText(text, citations, nonce) {
  let written = "";
  let from = 0;
  let held = { links: "", until: -1 };
  const copy = (to) => {
    if (held.until >= from && held.until <= to) {
      written += text.slice(from, held.until) + held.links;
      from = held.until;
      held = { links: "", until: -1 };
    }
    written += text.slice(from, to);
    from = to;
  };
  for (const mark of marksOf(text, citations)) {
    const links = mark.indexes.map((index) => `[${citations[index].number}](${PLACE}${nonce}-${index})`).join("");
    copy(mark.at);
    from = mark.end;
    const after = endOfLink(text, mark);
    if (after >= 0) held = { links: held.links + links, until: after };
    // "![" would begin a picture.
    else written = (/(?:^|[^\\])!$/.test(written) ? `${written.slice(0, -1)}\\!` : written) + links;
  }
  copy(text.length);
  return written;
}

/** Which citation a link stands for, or -1: only links that this page wrote do. */
export function citationIn(href, nonce) {
  const own = `${PLACE}${nonce}-`;
  return typeof href === "string" && href.startsWith(own) && /^\d{1,4}$/.test(href.slice(own.length)) ? Number(href.slice(own.length)) : -1;
}

/** A mark again, wherever its link was not read as one, as in code. */
export const withoutLinks = (text, nonce) =>
  text.includes(`${PLACE}${nonce}-`) ? text.replace(new RegExp(`(?:\\[|%5B)(\\d+)(?:\\]|%5D)\\(${PLACE}${nonce}-\\d+\\)`, "g"), "[$1]") : text;

/** The same for a tree of HTML (hast): its texts, and the addresses in it. */
export function restoreMarks(node, nonce) {
  if (typeof node.value === "string") node.value = withoutLinks(node.value, nonce);
  for (const name of ["href", "src", "alt"]) {
    const value = node.properties?.[name];
    if (typeof value === "string" && citationIn(value, nonce) < 0) node.properties[name] = withoutLinks(value, nonce);
  }
  for (const child of node.children ?? []) restoreMarks(child, nonce);
}
