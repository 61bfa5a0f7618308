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
  for (let line = at + 1; line < lines.length; line++) {
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
    if (!opened || (opened.mark[0] === "`" && opened.info.includes("`"))) {
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
const FORMULA = new RegExp(
  [
    String.raw`(?<code>(?<!\x60)(\x60+)(?!\x60)(?:(?!\n[ \t]*\n)[\s\S]){1,4000}?(?<!\x60)\2(?!\x60))`,
    String.raw`(?<escaped>\\[\\$])`,
    String.raw`\\\[(?<block>(?:(?!\\\[|\\\])[\s\S]){1,4000})\\\]`,
    String.raw`\\\((?<inline>(?:(?!\\\(|\\\)|\n[ \t]*\n)[\s\S]){1,2000})\\\)`,
    String.raw`\$\$(?<dollars>(?:(?!\$\$)[\s\S]){1,4000})\$\$`,
    String.raw`(?<open>\$\$)`,
    String.raw`(?<![\w$\\])\$(?<short>(?![\s$])(?:\\.|[^\\$\n\x60]){0,300}?(?<![\s\\]))\$(?![\w$])`,
  ].join("|"),
  "g",
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

function withFormulas(prose) {
  if (!/[$\\]/.test(prose)) return prose;
  return prose.replace(FORMULA, (whole, ...rest) => {
    const { code, escaped, block, inline, dollars, open, short } = rest.at(-1);
    if (code || escaped) return whole;
    if (open) return "\\$\\$";
    const at = rest.at(-3);
    const lineStart = prose.slice(prose.lastIndexOf("\n", at - 1) + 1, at);
    if (short !== undefined) return PLAIN_AMOUNT.test(short) ? whole : inText(short, lineStart);
    if (inline !== undefined) return inText(inline, lineStart);
    const after = prose.slice(at + whole.length, prose.indexOf("\n", at + whole.length) >>> 0);
    const tex = block ?? dollars;
    if (!tex.trim()) return whole;
    if (LEAD.test(lineStart) && !after.trim()) return onItsOwnLines(tex, lineStart);
    // A checkbox and a link that are escaped are no formulas.
    return block !== undefined && (after.startsWith("(") || !block.trim()) ? whole : inText(tex, lineStart);
  });
}

/** The text that the parser is given. @param {string} text */
export const parseable = (text) =>
  pieces(text)
    .map(([isCode, piece]) => (isCode ? piece : withFormulas(piece)))
    .join("\n");
