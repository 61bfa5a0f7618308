// The harmless HTML that models write between their Markdown: a fixed list of tags works, without their attributes, and all other
// HTML is text that can be read. No parser of HTML makes elements of a model's words.

const INLINE = "a abbr b cite code del em i ins kbd mark q s samp small strong sub sup u var";
const BLOCKS = "blockquote center details div dd dl dt li ol p summary ul";
const KNOWN = new Set(`${INLINE} ${BLOCKS}`.split(" "));
const ENDS_ITSELF = new Set(["details", "summary", "li", "p", "dd", "dt"]);
const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s[^<>]*)?)(\/?)>/gi;
/** Deeper elements are text: a tree is walked by functions that call themselves. */
const DEEPEST = 50;
const HREF = /\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i;

const text = (value) => ({ type: "text", value });

function element(name, attributes) {
  const properties = {};
  if (name === "details" && /\sopen\b/i.test(attributes)) properties.open = true;
  if (name === "a") properties.href = HREF.exec(attributes)?.slice(1).find(Boolean) ?? "";
  return { type: "element", tagName: name === "center" ? "div" : name, properties, children: [] };
}

/** The open elements while a list of nodes is read, the outermost first. */
class Builder {
  constructor() {
    /** @type {any[]} */
    this.levels = [{ name: "", source: "", node: { children: [] } }];
  }

  add(node) {
    this.levels.at(-1).node.children.push(node);
  }

  open(name, attributes, source) {
    this.levels.push({ name, source, node: element(name, attributes) });
  }

  /** The innermost element ends; one that should have been ended and was not is text again. */
  end(isWhole) {
    const { name, source, node } = this.levels.pop();
    if (isWhole || ENDS_ITSELF.has(name)) this.add(node);
    else for (const part of [text(source), ...node.children]) this.add(part);
  }

  close(name, source) {
    const at = this.levels.findLastIndex((level) => level.name === name);
    if (at < 0) return this.add(text(source));
    while (this.levels.length > at + 1) this.end(false);
    return this.end(true);
  }

  finish() {
    while (this.levels.length > 1) this.end(false);
    return this.levels[0].node.children;
  }
}

function withoutComments(html) {
  let [shown, from] = ["", 0];
  for (;;) {
    const start = html.indexOf("<!--", from);
    const end = start < 0 ? -1 : html.indexOf("-->", start + 4);
    if (end < 0) return shown + html.slice(from);
    shown += html.slice(from, start);
    from = end + 3;
  }
}

function readTags(value, builder) {
  let from = 0;
  const html = withoutComments(value);
  for (const found of html.matchAll(TAG)) {
    const [source, slash, tag, attributes] = found;
    const name = tag.toLowerCase();
    const isVoid = (name === "br" || name === "hr") && !slash;
    if (!isVoid && (!KNOWN.has(name) || (!slash && builder.levels.length > DEEPEST))) continue;
    if (found.index > from) builder.add(text(html.slice(from, found.index)));
    from = found.index + source.length;
    if (isVoid) builder.add(element(name, ""));
    else if (slash) builder.close(name, source);
    else builder.open(name, attributes, source);
  }
  if (from < html.length) builder.add(text(html.slice(from)));
}

const isRaw = (node) => node.type === "raw";
const isInline = (node) => node.type === "text" || (node.type === "element" && (node.tagName === "br" || INLINE.split(" ").includes(node.tagName)));

/** Between blocks, words of their own are a paragraph, with the line breaks that they have. */
function inParagraphs(children) {
  const found = [];
  for (const child of children) {
    const last = found.at(-1);
    if (!isInline(child)) found.push(child);
    else if (last?.isLoose) last.children.push(child);
    else if (child.type !== "text" || child.value.trim())
      found.push({ type: "element", tagName: "p", properties: { className: ["loose"] }, children: [child], isLoose: true });
  }
  return found;
}

const HOLDS_BLOCKS = new Set(["blockquote", "details", "div", "li", "section"]);

function rebuild(parent) {
  for (const child of parent.children) if (child.children) rebuild(child);
  if (!parent.children.some(isRaw)) return;
  const builder = new Builder();
  for (const child of parent.children) {
    if (isRaw(child)) readTags(child.value, builder);
    else builder.add(child);
  }
  parent.children = builder.finish();
  if (parent.type === "root") wrap(parent);
}

function wrap(parent) {
  for (const child of parent.children) if (HOLDS_BLOCKS.has(child.tagName) && child.children.some((part) => !isInline(part))) wrap(child);
  parent.children = inParagraphs(parent.children);
}

/** A plugin of remark: Streamdown makes text of all HTML, unless it has another name. */
export const keepHtml = () => (parent) => {
  for (const child of parent.children) {
    if (child.type === "html") child.type = "keptHtml";
    if (child.children) keepHtml()(child);
  }
};

/** For remark-rehype: that HTML again. */
export const HANDLERS = { keptHtml: (_state, node) => ({ type: "raw", value: node.value }) };

/** A plugin of rehype: the tree's pieces of HTML become elements of the list, or text. */
export const harmlessHtml = () => rebuild;
