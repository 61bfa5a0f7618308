// Long texts that are pasted: whether they are files rather than words, and what such a file is called. Only the browser has the clipboard.

const MOST_CHARACTERS = 10_000;
const MOST_LINES = 200;
const LOOKED_AT = 20_000;
const PARSED = 1_000_000;
const ROWS = 20;
const MARKS = [/^#{1,6} \S/m, /^(```|~~~)/m, /^\s*[-*+] (\[[ x]\] )?\S/m, /^\|.+\|\s*$/m, /\[[^\]\n]+\]\([^)\s]+\)/, /\*\*[^*\n]+\*\*/];

/** Whether it would fill the field: more than 10,000 characters or 200 lines. @param {string} text */
export function isLongText(text) {
  if (text.length > MOST_CHARACTERS) return true;
  return (text.match(/\r\n?|\n/g)?.length ?? 0) >= MOST_LINES;
}

function isJson(text) {
  const end = text.trimEnd();
  if (!/^\s*[[{]/.test(text) || !"]}".includes(end[end.length - 1])) return false;
  if (text.length > PARSED) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether each of the first rows has as many of these, and at least one. */
function isTable(rows, separator) {
  const counts = new Set(rows.map((row) => row.split(separator).length));
  return rows.length > 2 && counts.size === 1 && !counts.has(1);
}

/** The ending of a file with this text, by a look at its beginning. @param {string} text */
export function endingOf(text) {
  const head = text.slice(0, LOOKED_AT);
  if (/^\s*(<!doctype html|<html)\b/i.test(head)) return ".html";
  if (/^\s*<\?xml\s/.test(head)) return ".xml";
  if (isJson(text)) return ".json";
  // The last row may have been cut.
  const rows = head.split(/\r\n?|\n/, ROWS + 1).filter(Boolean);
  if (rows.length > ROWS) rows.pop();
  if (isTable(rows, "\t")) return ".tsv";
  if (isTable(rows, ",") || isTable(rows, ";")) return ".csv";
  return MARKS.filter((mark) => mark.test(head)).length > 1 ? ".md" : ".txt";
}

/** "Pasted text.md", "Pasted text 2.md": a name that nothing else has. @param {string} text @param {string[]} taken */
export function nameOfText(text, taken) {
  const ending = endingOf(text);
  let name = `Pasted text${ending}`;
  for (let number = 2; taken.includes(name); number += 1) name = `Pasted text ${number}${ending}`;
  return name;
}
