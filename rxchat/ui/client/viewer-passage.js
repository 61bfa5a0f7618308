// Finding a passage in what is on the screen: in a text of code points, and in the scattered words of a PDF page.

const WINDOW = 24;
const NOT_WORDS = /[^\p{L}\p{N}]/gu;

/** Where a number of code points is in a string of UTF-16, which counts an emoji as two. */
export function utf16Index(text, points) {
  let at = 0;
  for (let count = 0; count < points && at < text.length; count += 1) at += text.codePointAt(at) > 0xffff ? 2 : 1;
  return at;
}

/** How many code points a string has. */
export function points(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** A text before, in and after [start, end), counted in code points. */
export function splitAt(text, start, end) {
  const from = utf16Index(text, Math.max(0, start));
  const to = from + utf16Index(text.slice(from), Math.max(0, end - start));
  return [text.slice(0, from), text.slice(from, to), text.slice(to)];
}

/** Letters and digits alone: what is left of a text when white space, hyphens and ornaments do not count. */
function plain(text) {
  return text.normalize("NFKC").replace(NOT_WORDS, "").toLowerCase();
}

/** The pieces of a page as one plain text, and for each of its characters the piece and the place in it. */
function flattened(pieces) {
  let text = "";
  const places = [];
  pieces.forEach((piece, item) => {
    let at = 0;
    for (const character of piece) {
      for (const kept of plain(character)) {
        text += kept;
        for (let unit = 0; unit < kept.length; unit += 1) places.push([item, at, at + character.length]);
      }
      at += character.length;
    }
  });
  return { text, places };
}

/** The stretches of `text` that say what `wanted` says, as [from, to): all of it, or as much as is together. */
function stretches(text, wanted) {
  const whole = text.indexOf(wanted);
  if (whole >= 0) return [[whole, whole + wanted.length]];
  const found = [];
  let at = 0;
  while (at + WINDOW <= wanted.length) {
    const from = text.indexOf(wanted.slice(at, at + WINDOW), found.at(-1)?.[1] ?? 0);
    if (from < 0) {
      at += 1;
      continue;
    }
    let length = WINDOW;
    while (at + length < wanted.length && text[from + length] === wanted[at + length]) length += 1;
    found.push([from, from + length]);
    at += length;
  }
  return found;
}

/** A range with the full stop or the hyphen after it. */
function withEnd({ item, from, to }, piece) {
  return { item, from, to: to + piece.slice(to).match(/^[^\p{L}\p{N}\s]*/u)[0].length };
}

/** Which parts of the pieces belong to the passage: [{item, from, to}], in order, one for each piece that has some. */
export function passageRanges(pieces, passage) {
  const wanted = plain(passage);
  if (!wanted) return [];
  const { text, places } = flattened(pieces);
  const ranges = new Map();
  for (const [first, last] of stretches(text, wanted)) {
    for (const [item, from, to] of places.slice(first, last)) {
      const range = ranges.get(item) ?? { item, from, to };
      ranges.set(item, { item, from: Math.min(range.from, from), to: Math.max(range.to, to) });
    }
  }
  return [...ranges.values()].map((range) => withEnd(range, pieces[range.item])).sort((one, other) => one.item - other.item);
}

/**
 * Where a passage stands in a piece of a document's text, as {start, end} in code points of the document; null when it does not.
 * `quote` is how it begins. A document that was read again has it elsewhere, and other words where it was.
 */
export function placeIn({ start: first, text }, { start, end, quote }) {
  // Character by character, as the text is: the quote may have been cut between a letter and its accent.
  const wanted = flattened([quote]).text;
  const here = end > start && start >= first ? splitAt(text, start - first, end - first)[1] : "";
  if (here && flattened([here]).text.startsWith(wanted)) return { start, end };
  if (!wanted) return null;
  const { text: said, places } = flattened([text]);
  const found = [];
  for (let at = said.indexOf(wanted); at >= 0; at = said.indexOf(wanted, at + 1)) found.push(at);
  if (!found.length) return null;
  // Of several places, the one that is nearest to where it was.
  const old = utf16Index(text, Math.max(0, start - first));
  const at = found.reduce((best, next) => (Math.abs(places[next][1] - old) < Math.abs(places[best][1] - old) ? next : best));
  const from = first + points(text.slice(0, places[at][1]));
  return { start: from, end: from + points(text.slice(places[at][1], places[at + wanted.length - 1][2])) };
}
