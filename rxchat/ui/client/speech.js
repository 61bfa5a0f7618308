// What dictation and reading aloud share: the browser's speech API wants a language, and short texts.

const LONGEST = 240;
const WORDS = /[\p{L}\p{N}]/u;

/** The page's language, in the variant that the user prefers: "en-GB" for a page in "en". */
export function speechLanguage() {
  const page = document.documentElement.lang || navigator.language;
  const base = (tag) => tag.toLowerCase().split("-")[0];
  return (navigator.languages ?? []).find((tag) => base(tag) === base(page)) ?? page;
}

/** A voice for a language: one of this computer rather than one of a server, the exact variant rather than another. @param {any[]} voices @param {string} language */
export function voiceFor(voices, language) {
  const wanted = language.toLowerCase();
  const tag = (voice) => voice.lang.toLowerCase().replace("_", "-");
  const rank = (voice) => (voice.localService ? 4 : 0) + (tag(voice) === wanted ? 2 : 0) + (voice.default ? 1 : 0);
  const fitting = voices.filter((voice) => tag(voice).split("-")[0] === wanted.split("-")[0]);
  return fitting.sort((one, other) => rank(other) - rank(one))[0];
}

/** A sentence in parts that no voice stops in the middle of. */
function parts(sentence) {
  const found = [];
  let rest = sentence.trim();
  while (rest.length > LONGEST) {
    const space = rest.lastIndexOf(" ", LONGEST);
    const at = space > 0 ? space : LONGEST;
    found.push(rest.slice(0, at));
    rest = rest.slice(at).trim();
  }
  return [...found, rest].filter((part) => WORDS.test(part));
}

/** The sentences of a text, as they are to be spoken one after the other. @param {string} text @param {string} language */
export function sentencesOf(text, language) {
  const lines = text.split(/\n+/);
  if (typeof Intl.Segmenter === "undefined") return lines.flatMap((line) => (line.match(/[^.!?。！？]+[.!?。！？]*/g) ?? []).flatMap(parts));
  const segmenter = new Intl.Segmenter(language, { granularity: "sentence" });
  return lines.flatMap((line) => [...segmenter.segment(line)].flatMap(({ segment }) => parts(segment)));
}
