// An answer's markdown, drawn while it grows: Streamdown is a React component. Loaded with the first answer, not before.
import { memo, useMemo } from "react";
import { Streamdown } from "streamdown";
import { AnswerOf, CitationChip } from "./citation-chip.jsx";
import { citationIn, linkedText, newNonce, restoreMarks } from "./citation-marks.js";
import { CodeBlock } from "./code-block.jsx";
import { outboundLink } from "./words.js";

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
    <a href={target} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

/** A picture of another site would reveal the reader to that site, so it is shown as a link. */
function Picture({ src, alt }) {
  const target = outboundLink(src);
  const name = alt || "image";
  if (!target) return <span className="dead-link">{name}</span>;
  return <a href={target} target="_blank" rel="noopener noreferrer nofollow">{`Image: ${name}`}</a>;
}

function plainText(children) {
  if (typeof children === "string") return children;
  if (Array.isArray(children)) return children.map(plainText).join("");
  return children?.props ? plainText(children.props.children) : "";
}

function Block({ className, children }) {
  const language = /language-([^\s]+)/.exec(className ?? "")?.[1] ?? "";
  return <CodeBlock code={plainText(children).replace(/\n$/, "")} language={language} />;
}

const Table = ({ children }) => (
  // biome-ignore lint/a11y: what scrolls has to be reached with the keyboard, and is neither a landmark nor a set of fields.
  <div className="table-box" tabIndex={0} role="group" aria-label="Table">
    <table>{children}</table>
  </div>
);

/** Streamdown's own components bring buttons and frames that are not our look: plain elements instead. */
const plain = (Tag, dir) => {
  const Plain = ({ node, className, ...rest }) => <Tag dir={dir} {...rest} />;
  Plain.displayName = `Plain(${Tag})`;
  return Plain;
};

const PLAIN = ["h1", "h2", "h3", "h4", "h5", "h6", "p", "hr", "strong", "thead", "tbody", "tr", "th", "td", "sup", "sub", "li", "section"];

const COMPONENTS = {
  ...Object.fromEntries(PLAIN.map((tag) => [tag, plain(tag)])),
  // A text with footnotes is one block to Streamdown, which finds the direction of blocks only.
  ...Object.fromEntries(["ul", "ol", "blockquote"].map((tag) => [tag, plain(tag, "auto")])),
  a: Link,
  code: Block,
  img: Picture,
  inlineCode: ({ children }) => <code>{children}</code>,
  input: ({ checked }) => <input type="checkbox" disabled checked={checked} aria-label={checked ? "Done" : "Not done"} />,
  table: Table,
};

/** In code and the like a citation's link is no link: its mark is put back. */
function citationsOutsideLinks() {
  return (tree) => restoreMarks(tree, NONCE);
}

const NONE = [];
const CITING = [citationsOutsideLinks];
const OFF = { enabled: false };
const keep = (url) => url;

/**
 * Streamdown cuts the text into blocks and draws only those that changed. Without rehype-raw, HTML stays text. `citations`
 * are those of the whole text, when it is complete.
 */
function Markdown({ text, isGrowing, citations = NONE, message }) {
  const shown = useMemo(() => (citations.length ? linkedText(text, citations, NONCE) : text), [text, citations]);
  const answer = useMemo(() => ({ citations, message }), [citations, message]);
  // Each message has its own first footnote.
  const places = useMemo(() => ({ clobberPrefix: `${message}-` }), [message]);
  return (
    <AnswerOf value={answer}>
      <Streamdown
        className={isGrowing ? "md md-growing" : "md"}
        components={COMPONENTS}
        rehypePlugins={citations.length ? CITING : NONE}
        urlTransform={keep}
        parseIncompleteMarkdown={isGrowing}
        remarkRehypeOptions={places}
        linkSafety={OFF}
        controls={false}
        dir="auto"
      >
        {shown}
      </Streamdown>
    </AnswerOf>
  );
}

export default memo(Markdown);
