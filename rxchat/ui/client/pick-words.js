// What `#` and `/` in the composer look for, decided between two key presses: where they stand, what is typed behind them, and what fits.

const LONGEST = 60;

/** The `#` that the caret is behind, and what is typed between them: {at, words}; null when nothing is being looked for. */
export function hashAt(text, caret) {
  const at = text.lastIndexOf("#", caret - 1);
  if (at < 0 || caret <= at || (at > 0 && !/\s/.test(text[at - 1]))) return null;
  const words = text.slice(at + 1, caret);
  // "# " begins a heading, and a line's end ends everything.
  return words.length > LONGEST || /^\s|\n/.test(words) ? null : { at, words };
}

/** Those that fit what is typed by now; what the server found was for the words before. @param {(id: string) => boolean} isTaken */
export function fitting(choices, searched, words, isTaken = (_id) => false) {
  const wanted = words.trim().toLowerCase();
  const isAnswered = searched.trim().toLowerCase() === wanted;
  return choices.filter((choice) => !isTaken(choice.id) && (isAnswered || choice.name.toLowerCase().includes(wanted)));
}

/** Whether the list is to be seen: with white space typed it is prose unless something is called so. */
export const isLooking = (hash, found) => !!hash && (found.length > 0 || !/\s/.test(hash.words));

/** The text without the `#` and what is typed behind it, and where the caret belongs then. */
export function withoutHash(text, { at, words }) {
  const rest = text.slice(at + 1 + words.length);
  const before = text.slice(0, at);
  return { text: before + (/\s$/.test(before) || !before ? rest.replace(/^ /, "") : rest), caret: at };
}

/** As Japanese and Chinese input methods write it, too. */
const SLASH = /^[/／]/;

/** The `/` at the beginning of a line that the caret is behind, and what is typed between them, as `hashAt`. */
export function slashAt(text, caret) {
  const at = text.lastIndexOf("\n", caret - 1) + 1;
  if (!SLASH.test(text.slice(at)) || caret <= at) return null;
  const words = text.slice(at + 1, caret);
  return words.length > LONGEST || /^[\s/／]/.test(words) ? null : { at, words };
}

/** The prompts that fit, as `fitting`; the one without an ID offers to create one, while nothing is typed. */
export function fittingPrompts(choices, searched, words) {
  const wanted = words.trim().toLowerCase();
  const isAnswered = searched.trim().toLowerCase() === wanted;
  const fits = ({ command, title }) => isAnswered || command.includes(wanted) || title.toLowerCase().includes(wanted);
  return choices.filter((choice) => (choice.id ? fits(choice) : wanted === ""));
}

/** The text with a prompt's text in the place of `/` and its word, or at the caret if they are gone; and where the caret belongs then. */
export function withPrompt(text, place, caret, inserted) {
  const isThere = place && SLASH.test(text.slice(place.at)) && text.startsWith(place.words, place.at + 1);
  const [start, end] = isThere ? [place.at, place.at + 1 + place.words.length] : [caret, caret];
  return { text: text.slice(0, start) + inserted + text.slice(end), caret: start + inserted.length };
}
