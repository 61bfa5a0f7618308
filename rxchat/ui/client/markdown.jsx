// An answer's markdown, drawn while it grows: Streamdown is a React component. Loaded with the first answer, not before.
import { memo, useMemo } from "react";
import remarkBreaks from "remark-breaks";
import remarkCjk from "remark-cjk-friendly";
import remarkCjkStrikethrough from "remark-cjk-friendly-gfm-strikethrough";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import { cjk } from "@streamdown/cjk";
import { Streamdown, useIsCodeFenceIncomplete } from "streamdown";
import { previewOf } from "./artifact.js";
import { AnswerOf, CitationChip } from "./citation-chip.jsx";
import { citationIn, linkedText, newNonce, restoreMarks } from "./citation-marks.js";
import { CodeBlock } from "./code-block.jsx";
import { Diagram } from "./diagram.jsx";
import { Formula } from "./formula.jsx";
import { HANDLERS, harmlessHtml, keepHtml } from "./markdown-html.js";
import { parseable } from "./markdown-source.js";
import { Picture } from "./picture.jsx";
import { copyFormulas } from "./plain-text.js";
import { Table } from "./table.jsx";
import { hostOf, outboundLink } from "./words.js";

const NONCE = newNonce();

/** Footnotes: a link of this message to a place in it, which other messages may have, too. The address stays. */
function goTo(event, href) {
  event.preventDefault();
  const place = document.getElementById(href.slice(1));
  if (!place) return;
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
  place.scrollIntoView({ block: "nearest" });
}

const isFootnote = (props) => "data-footnote-ref" in props || "data-footnote-backref" in props;

/** What a model writes as a link opens elsewhere, and only when it is one. Citations are links that this page wrote. */
function Link({ node, href, children, className, target: _, rel, ...rest }) {
  const index = citationIn(href, NONCE);
  if (index >= 0) return <CitationChip index={index} />;
  if (isFootnote(rest))
    return (
      <a {...rest} href={href} onClick={(event) => goTo(event, href)}>
        {children}
      </a>
    );
  const target = outboundLink(href);
  if (!target) return <span className="dead-link">{children}</span>;
  return (
    <a href={target} target="_blank" rel="noopener noreferrer nofollow" data-tip={target} data-host={hostOf(target)}>
      {children}
    </a>
  );
}

function Image({ src, alt }) {
  const target = outboundLink(src);
  const name = alt || "image";
  return /^https?:/.test(target) ? <Picture key={target} address={target} name={name} /> : <span className="dead-link">{name}</span>;
}

function plainText(children) {
  if (typeof children === "string") return children;
  if (Array.isArray(children)) return children.map(plainText).join("");
  return children?.props ? plainText(children.props.children) : "";
}

function Block({ className, children }) {
  const isGrowing = useIsCodeFenceIncomplete();
  const language = /language-([^\s]+)/.exec(className ?? "")?.[1] ?? "";
  const code = plainText(children).replace(/\n$/, "");
  if (language === "math") return <Formula tex={code} isBlock />;
  if (language === "mermaid" && !isGrowing) return <Diagram code={code} />;
  return <CodeBlock code={code} language={language} isGrowing={isGrowing} preview={previewOf(language, code)} />;
}

const InlineCode = ({ className, children }) =>
  /math-inline/.test(className) ? <Formula tex={plainText(children)} isBlock={false} /> : <code>{children}</code>;

/** Streamdown's own components bring buttons and frames that are not our look: plain elements instead. */
const plain = (Tag, dir) => {
  const Plain = ({ node, className, ...rest }) => <Tag dir={dir} {...rest} className={className === "loose" ? className : undefined} />;
  Plain.displayName = `Plain(${Tag})`;
  return Plain;
};

/** The page's own heading is the first one: an answer's are below it, and look as steps of their own. */
const HEADINGS = ["", "md-h1", "md-h2", "md-h3", "md-h4", "md-h5", "md-h6"];
const heading = (level) => {
  const Tag = /** @type {any} */ (level < 6 ? `h${level + 1}` : "p");
  const own = level < 6 ? {} : { role: "heading", "aria-level": level + 1 };
  const Heading = ({ node, className, ...rest }) => <Tag {...rest} {...own} className={rest.id ? className : HEADINGS[level]} />;
  Heading.displayName = `Heading(${level})`;
  return Heading;
};

const PLAIN = ["p", "hr", "strong", "thead", "tbody", "tr", "th", "td", "sup", "sub", "li", "section", "details", "summary"];

const COMPONENTS = {
  ...Object.fromEntries(PLAIN.map((tag) => [tag, plain(tag)])),
  // A text with footnotes is one block to Streamdown, which finds the direction of blocks only.
  ...Object.fromEntries(["ul", "ol", "blockquote"].map((tag) => [tag, plain(tag, "auto")])),
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((level) => [`h${level}`, heading(level)])),
  a: Link,
  code: Block,
  img: Image,
  inlineCode: InlineCode,
  input: ({ checked }) => <input type="checkbox" disabled checked={checked} aria-label={checked ? "Done" : "Not done"} />,
  table: Table,
};

/** In code and the like a citation's link is no link: its mark is put back. */
function citationsOutsideLinks() {
  return (tree) => restoreMarks(tree, NONCE);
}

const NONE = [];
// In the order in which @streamdown/cjk has them; of its plugins only the one that ends links before CJK punctuation is taken as it
// is, since its strikethrough takes single tildes.
const [endLinks] = cjk.remarkPluginsAfter;
const REMARK = [
  remarkCjk,
  [remarkGfm, { singleTilde: false }],
  endLinks,
  [remarkCjkStrikethrough, { singleTilde: false }],
  [remarkMath, { singleDollarTextMath: false }],
  remarkBreaks,
  keepHtml,
];
const REHYPE = [harmlessHtml];
const REHYPE_CITING = [harmlessHtml, citationsOutsideLinks];
const OFF = { enabled: false };
const keep = (url) => url;

/**
 * Streamdown cuts the text into blocks and draws only those that changed. Without rehype-raw, HTML stays text. `citations`
 * are those of the whole text, when it is complete.
 */
function Markdown({ text, isGrowing, citations = NONE, message }) {
  const shown = useMemo(() => parseable(citations.length ? linkedText(text, citations, NONCE) : text), [text, citations]);
  const answer = useMemo(() => ({ citations, message }), [citations, message]);
  // Each message has its own first footnote.
  const places = useMemo(() => ({ clobberPrefix: `${message}-`, handlers: HANDLERS }), [message]);
  return (
    <AnswerOf value={answer}>
      <div className="md-copied" onCopy={copyFormulas}>
        <Streamdown
          className={isGrowing ? "md md-growing" : "md"}
          components={COMPONENTS}
          remarkPlugins={REMARK}
          rehypePlugins={citations.length ? REHYPE_CITING : REHYPE}
          urlTransform={keep}
          parseIncompleteMarkdown={isGrowing}
          isAnimating={isGrowing}
          remarkRehypeOptions={places}
          linkSafety={OFF}
          controls={false}
          dir="auto"
        >
          {shown}
        </Streamdown>
      </div>
    </AnswerOf>
  );
}

export default memo(Markdown);
