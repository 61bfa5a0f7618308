// Texts that come to the caret of the composer from elsewhere (the clipboard, the microphone): the caret is the browser's.

const WORD = /[\p{L}\p{N}]/u;
/** Scripts that have no spaces between words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

/** Whether words need a space between these two characters. */
const isJoined = (before, after) => WORD.test(after) && /\S/.test(before) && !/[([{“„«‘]/.test(before) && !(UNSPACED.test(before) || UNSPACED.test(after));

/**
 * The text with these words in place of its selection, and the caret behind them. What was spoken gets the spaces that it needs.
 * @param {string} text @param {number} start @param {number} end @param {string} words
 */
export function withInserted(text, start, end, words, isSpoken = false) {
  const [before, after] = [text.slice(0, start), text.slice(end)];
  let put = words;
  if (isSpoken) {
    put = words.trim();
    if (put && isJoined(before.slice(-1), put[0])) put = ` ${put}`;
    if (put && after && isJoined(put.slice(-1), after[0])) put = `${put} `;
  }
  return { text: before + put + after, caret: before.length + put.length };
}

/** @type {((words: string, isSpoken: boolean) => void) | null} */
let insertShown = null;

/** Say what puts words into the composer on screen; null if there is none. @param {typeof insertShown} insert */
export const insertsBy = (insert) => {
  insertShown = insert;
};

/** Put words at the caret of the composer on screen; false if there is none. @param {string} words */
export function insertText(words, isSpoken = false) {
  insertShown?.(words, isSpoken);
  return insertShown !== null;
}
