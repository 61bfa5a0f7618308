// Finding a passage in the scattered words of a PDF page, which only the browser has.

const WINDOW = 24;
const NOT_WORDS = /[^\p{L}\p{N}]/gu;

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
