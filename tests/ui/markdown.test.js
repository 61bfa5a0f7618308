// What the parser is given for what models write. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { harmlessHtml } from "../../rxchat/ui/client/markdown-html.js";
import { parseable } from "../../rxchat/ui/client/markdown-source.js";

const same = (text) => expect(parseable(text)).toBe(text);

describe("formulas", () => {
  test.each([
    ["\\(\\theta\\)", "$$\\theta$$"],
    ["so \\( a\n + b \\).", "so $$a + b$$."],
    ["\\[E=mc^2\\]", "$$\nE=mc^2\n$$"],
    ["\\[\n\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}\n\\]", "$$\n\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}\n$$"],
    ["that \\[x\\] holds", "that $$x$$ holds"],
    ["$$E=mc^2$$", "$$\nE=mc^2\n$$"],
    ["$$ a\n\n= b $$", "$$\na\n= b\n$$"],
    ["$$\nx\n$$", "$$\nx\n$$"],
    ["$x^2$", "$$x^2$$"],
    ["with $n$, $n$-th and ($k$)", "with $$n$$, $$n$$-th and ($$k$$)"],
    ["$2x$ and $3$", "$$2x$$ and $$3$$"],
    ["- \\[\n  + x\n  \\]", "- $$\n  + x\n  $$"],
    ["1. It is\n   $$y$$", "1. It is\n   $$\n   y\n   $$"],
    ["> \\[\n> z\n> \\]", "> $$\n> z\n> $$"],
    ["| $P(A|B)$ | 1 |", "| $$P(A\\vert B)$$ | 1 |"],
    ["\\[a &= b \\\\[4pt] c\\]", "$$\na &= b \\\\[4pt] c\n$$"],
    ["CO$_2$, 10$^5$, 2$\\pi$, the $n$th", "CO$$_2$$, 10$$^5$$, 2$$\\pi$$, the $$n$$th"],
    ["\\(x\\)\\(y\\)", "$$x$$<!---->$$y$$"],
    ["so $$x$$ and $$y$$.", "so $$x$$ and $$y$$."],
    ["The formula is: $$ E = mc^2 $$", "The formula is: $$E = mc^2$$"],
    ["Hence: $$\n\\int x\n$$", "Hence: $$\\int x$$"],
    ["$$\nx\n$$.", "$$x$$."],
    ["1. Area $$ \\pi r^2 $$.", "1. Area $$\\pi r^2$$."],
    ["if n<m, then $f(n) > f(m)$ holds", "if n<m, then $$f(n) > f(m)$$ holds"],
    ["x <y and \\(z\\) >0", "x <y and $$z$$ >0"],
    ["> ```\n> $a$\n\nText $x$", "> ```\n> $a$\n\nText $$x$$"],
  ])("%j", (written, given) => expect(parseable(written)).toBe(given));

  test.each([
    "**$4** and $1.50",
    "$/PR is down but $/session is up",
    "$5 and $10",
    "from $5-$10 to $20/$30",
    "US$5, CA$10",
    "$HOME/bin:$PATH",
    "$1,000 (or 900$)",
    "`$x$` and ``\\(a\\)``",
    "\\$5 and 6\\$",
    "```sh\necho $a$ \\[x\\]\n```",
    "a \\\\[4pt] b",
    "an unfinished \\[ x = 1",
    "an unfinished $x",
    "Use $\u007bfirst}-$\u007blast} and $(a)/$(b)",
    "[f](https://example.org/Function_\\(mathematics\\))",
    '<a href="x?$a$">',
  ])("is none: %j", same);

  test.each([
    ["| A | $$ |\n| B | $$ |", "| A | \\$\\$ |\n| B | \\$\\$ |"],
    ["A costs $$.\n\nB costs $$.", "A costs \\$\\$.\n\nB costs \\$\\$."],
    ["- $$ cheap\n- $$ dear", "- \\$\\$ cheap\n- \\$\\$ dear"],
    ["Cheap ($), moderate ($$), expensive ($$$)", "Cheap ($), moderate (\\$\\$), expensive (\\$\\$$)"],
    ["| $$ | a | $$ |", "| \\$\\$ | a | \\$\\$ |"],
  ])("prices are no formulas: %j", (written, given) => expect(parseable(written)).toBe(given));

  test("two dollars that nothing closes are two dollars", () => expect(parseable("the $$ and\n\nmore")).toBe("the \\$\\$ and\n\nmore"));

  test.each(["\\[", "\\(", "- ", "\\[\\\\ \\\\", "$a", "](", "<a", "`", "`` ` ", "\\"])("is none, and is read in time: %j without an end", (part) =>
    same(part.repeat(20000)),
  );
});

describe("fences", () => {
  const inner = "# Title\n\n```bash\nls\n```\n\nEnd.";
  test("a document that holds a block is one block", () =>
    expect(parseable(`\`\`\`markdown\n${inner}\n\`\`\`\n\nAfter $x$.`)).toBe(`\`\`\`\`markdown\n${inner}\n\`\`\`\`\n\nAfter $$x$$.`));
  test("while it grows, too", () => expect(parseable(`\`\`\`md\n${inner}`)).toBe(`\`\`\`\`md\n${inner}`));
  test("other blocks end at the first fence", () => same("```js\na\n```\n\ntext\n\n```js\nb\n```"));
  test("longer fences are right already", () => same("````markdown\n```bash\nls\n```\n````\n\nAfter."));
  test("a document without blocks stays", () => same("```markdown\n# Title\n```\n\nAfter."));
});

describe("HTML", () => {
  const raw = (value) => ({ type: "raw", value });
  const words = (value) => ({ type: "text", value });
  const p = (...children) => ({ type: "element", tagName: "p", properties: {}, children });
  const written = (node) => {
    if (node.type === "text") return node.value;
    const inner = node.children.map(written).join("");
    if (node.type === "root") return inner;
    const own = Object.entries(node.properties).filter(([name]) => name !== "className");
    return `<${node.tagName}${own.map(([name, value]) => ` ${name}=${value}`).join("")}>${inner}</${node.tagName}>`;
  };
  const shown = (...children) => {
    const root = { type: "root", children };
    harmlessHtml()(root);
    return written(root);
  };

  test("line breaks and small tags work", () => {
    expect(shown(p(words("a"), raw("<br/>"), words("H"), raw("<sub>"), words("2"), raw("</sub>"), words("O")))).toBe("<p>a<br></br>H<sub>2</sub>O</p>");
  });
  test("what is unknown, or not closed, is text", () => {
    expect(shown(p(words("Vec"), raw("<T>"), words(" "), raw("<b>"), words(" x"), raw("</i>")))).toBe("<p>Vec<T> <b> x</i></p>");
    expect(shown(raw("<script>alert(1)</script>"))).toBe("<p><script>alert(1)</script></p>");
  });
  test("attributes are dropped, but where a link leads", () => {
    expect(shown(p(raw('<kbd onclick="x()" style="y">'), words("K"), raw("</kbd>")))).toBe("<p><kbd>K</kbd></p>");
    expect(shown(p(raw('<a onclick="x()" href="https://example.org/">'), words("here"), raw("</a>")))).toBe("<p><a href=https://example.org/>here</a></p>");
  });
  test("details hold what is between their tags, also while it grows", () => {
    const parts = [raw("<details open>\n<summary>More</summary>"), words("\n"), p(words("inside"))];
    const whole = "<details open=true><summary>More</summary><p>inside</p></details>";
    expect(shown(...parts, words("\n"), raw("</details>"))).toBe(whole);
    expect(shown(...structuredClone(parts))).toBe(whole);
  });
  test("what is nested without end, or never ends, is text", () => {
    expect(shown(p(...Array.from({ length: 20000 }, () => raw("<b>"))))).toBe(`<p>${"<b>".repeat(20000)}</p>`);
    expect(shown(raw("<!--".repeat(20000)))).toBe(`<p>${"<!--".repeat(20000)}</p>`);
  });
  test("a comment is not shown", () => expect(shown(p(words("a")), raw("<!-- secret -->"))).toBe("<p>a</p>"));
});
