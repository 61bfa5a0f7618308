// What the parser is given for a model's words: formulas as it knows them, and fences that hold fences. No React and no DOM in
// here, so that the rules can be tested alone. What is copied is always the model's own text.

const FENCE = /^([ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(`{3,}|~{3,})[ \t]*([^`\n]*)$/;
const DOCUMENT = /^(?:markdown|md|mdx)\b/i;

const fenceOf = (line) => {
  const found = FENCE.exec(line);
  return found && { lead: found[1], mark: found[2], info: found[3].trim() };
};

/** Where a fence's block ends: the number of its last line, and the longest fence within it; a document's may hold blocks of its own. */
function closeOf(lines, at, opened) {
  const holds = DOCUMENT.test(opened.info);
  let depth = 0;
  let longest = 0;
  const isQuoted = opened.lead.includes(">");
  for (let line = at + 1; line < lines.length; line++) {
    if (isQuoted && !/^[ \t]*>/.test(lines[line])) return { end: line - 1, longest, close: null };
    const fence = fenceOf(lines[line]);
    if (!fence || fence.mark[0] !== opened.mark[0] || fence.mark.length < opened.mark.length) continue;
    if (fence.info && !holds) continue;
    if (!fence.info && !depth) return { end: line, longest, close: fence };
    longest = Math.max(longest, fence.mark.length);
    depth += fence.info ? 1 : -1;
  }
  return { end: lines.length - 1, longest, close: null };
}

/** The text in pieces, [isCode, text]: a document that holds fences gets a longer fence of its own. */
function pieces(text) {
  const lines = text.split("\n");
  const found = [];
  const prose = [];
  const endProse = () => prose.length && found.push([false, prose.splice(0).join("\n")]);
  for (let at = 0; at < lines.length; at++) {
    const opened = fenceOf(lines[at]);
    if (!opened) {
      prose.push(lines[at]);
      continue;
    }
    endProse();
    const { end, longest, close } = closeOf(lines, at, opened);
    const block = lines.slice(at, end + 1);
    if (longest) {
      const longer = opened.mark[0].repeat(longest + 1);
      block[0] = `${opened.lead}${longer}${opened.info}`;
      if (close) block[block.length - 1] = `${close.lead}${longer}`;
    }
    found.push([true, block.join("\n")]);
    at = end;
  }
  endProse();
  return found;
}

// In this order: code stays as it is, and so does what is escaped. The lengths keep a text without an end from being searched again and again.
const ATTRIBUTES = String.raw`(?:[ \t]+[\w:-]{1,40}(?:=(?:"[^"\n]{0,1000}"|'[^'\n]{0,1000}'|[^\s"'=<>\x60]{1,1000}))?){0,20}`;
const FORMULA = new RegExp(
  [
    String.raw`(?<code>(?<!\x60)(\x60+)(?!\x60)(?:(?!\n[ \t]*\n)[\s\S]){1,4000}?(?<!\x60)\2(?!\x60))`,
    String.raw`(?<kept>\\[\\$]|\]\([^()\s]{0,2000}(?:\\?\([^()\s]{0,200}\))?[^()\s]{0,200}\)|</?[a-zA-Z][\w-]{0,40}${ATTRIBUTES}[ \t]*\/?>|<[a-z][a-z0-9+.-]{1,30}:[^<>\s]{0,2000}>)`,
    String.raw`\\\[(?<block>(?:\\\\|(?!\\[[\]\\])[\s\S]){1,4000})\\\]`,
    String.raw`\\\((?<inline>(?:\\\\|(?!\\[()\\]|\n[ \t]*\n)[\s\S]){1,2000})\\\)`,
    String.raw`(?<=^[ \t>]{0,40}(?:(?:[-*+]|\d{1,9}[.)])[ \t]{1,9}){0,9})\$\$(?!\$)(?<dollars>(?:(?!\$\$)[\s\S]){1,4000})\$\$(?=[ \t]*$)`,
    String.raw`\$\$(?![\s$])(?<same>(?:\\.|[^\\\n$]){1,2000}(?<!\s))\$\$(?!\$)`,
    String.raw`\$\$(?!\$)(?=[^$]{0,2000}[\\^_={+<]|\s{0,9}[a-zA-Z0-9]{1,3}\s{0,9}\$\$)(?<tex>(?:\\.|(?!\n[ \t]*(?:\n|[-*+|][ \t]))[^\\$]){1,2000})\$\$(?!\$)`,
    String.raw`(?<open>\$\$)`,
    String.raw`(?<![$\\])(?:(?<!\w)|(?=\$[\\_^]))\$(?<short>(?![\s$)\].,;:!?}])(?:\\.|[^\\$\n\x60]){1,300}(?<![\s\\]))\$(?:(?![\w$({])|(?=(?:th|st|nd|rd|s)\b))`,
  ].join("|"),
  "gm",
);
const PLAIN_AMOUNT = /^\d[\d.,]*(?![\d.,]*[a-zA-Z]?$)[^\\^_=+<>*]*$/;
const LEAD = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*$/;

/** A formula on lines of its own, which keep the margin of the list or quotation that they are in. */
function onItsOwnLines(tex, lead) {
  const margin = lead.replace(/[^\s>]/g, " ");
  const lines = tex
    .split("\n")
    .map((line) => line.replace(/^[ \t>]+|\s+$/g, ""))
    .filter(Boolean);
  return ["$$", ...lines, "$$"].join(`\n${margin}`);
}

/** Between the cells of a table, a bar would end a cell. */
const inACell = (tex) => tex.replace(/\\\|/g, "\\Vert ").replace(/\|/g, "\\vert ");

function inText(tex, lineStart) {
  const words = tex.trim().replace(/\s*\n[ \t>]*/g, " ");
  return words && `$$${/^\s*\|/.test(lineStart) ? inACell(words) : words}$$`;
}

/** What a match of FORMULA becomes. @param {string} whole @param {any} groups @param {string} lineStart @param {string} after what follows on its line */
function written(whole, groups, lineStart, after) {
  const { code, kept, block, inline, dollars, same, tex: spaced, open, short } = groups;
  if (code || kept) return whole;
  if (open) return "\\$\\$";
  if (short !== undefined) return PLAIN_AMOUNT.test(short) ? whole : inText(short, lineStart);
  if (inline !== undefined) return inText(inline, lineStart);
  // Between two bars are cells of a table: prices, and no formula.
  if ((same ?? spaced) !== undefined && /^\s*\|/.test(lineStart) && /\s\|\s/.test(same ?? spaced)) return whole.replaceAll("$$", () => "\\$\\$");
  const tex = block ?? dollars ?? same ?? spaced;
  if (!tex.trim()) return whole;
  if (LEAD.test(lineStart) && !after.trim()) return onItsOwnLines(tex, lineStart);
  // A link whose brackets are escaped is no formula.
  return block !== undefined && after.startsWith("(") ? whole : inText(tex, lineStart);
}

function withFormulas(prose) {
  if (!/[$\\]/.test(prose)) return prose;
  let last = -1;
  return prose.replace(FORMULA, (whole, ...rest) => {
    const at = rest.at(-3);
    const lineStart = prose.slice(prose.lastIndexOf("\n", at - 1) + 1, at);
    const end = at + whole.length;
    const given = written(whole, rest.at(-1), lineStart, prose.slice(end, prose.indexOf("\n", end) >>> 0));
    // Two formulas side by side would be read as one.
    const isBeside = at === last && given.startsWith("$$");
    if (given !== whole) last = end;
    return isBeside ? `<!---->${given}` : given;
  });
}

/** The text that the parser is given. @param {string} text */
export const parseable = (text) =>
  pieces(text)
    .map(([isCode, piece]) => (isCode ? piece : withFormulas(piece)))
    .join("\n");
