// A block of code. In JavaScript, since its colours are computed while it grows and its text goes to the clipboard.
import { memo, useEffect, useRef, useState } from "react";
import { CopyButton } from "./copy.jsx";

const BIG = 60000;

/** Colours arrive later than the text and never change a line's height, so nothing moves. */
function useColours(code, language) {
  const [lines, setLines] = useState(/** @type {any[] | null} */ (null));
  const colourer = useRef(/** @type {any} */ (null));
  const latest = useRef(code);
  latest.current = code;
  useEffect(() => {
    let isGone = false;
    if (!language || latest.current.length > BIG) return undefined;
    import("./highlight.js")
      .then(({ createColourer }) => createColourer(language))
      .then((colour) => {
        if (isGone || !colour) return;
        colourer.current = colour;
        setLines(colour(latest.current));
      })
      .catch(() => {});
    return () => {
      isGone = true;
      colourer.current = null;
    };
  }, [language]);
  useEffect(() => {
    if (colourer.current && code.length <= BIG) setLines(colourer.current(code));
  }, [code]);
  return lines;
}

const Line = memo(function Line(/** @type {{ tokens: any[] }} */ { tokens }) {
  return tokens.map((token, at) => (
    <span key={at} style={{ color: token.color }}>
      {token.content}
    </span>
  ));
});

function Coloured({ lines, code }) {
  if (!lines) return code;
  // While streaming the colours are one render behind; what they do not cover yet is plain.
  const covered = lines.reduce((sum, line) => sum + line.reduce((n, token) => n + token.content.length, 0), lines.length - 1);
  if (covered > code.length) return code;
  return (
    <>
      {lines.map((tokens, at) => (
        <span key={at}>
          <Line tokens={tokens} />
          {at < lines.length - 1 && "\n"}
        </span>
      ))}
      {code.slice(covered)}
    </>
  );
}

export function CodeBlock({ code, language }) {
  const lines = useColours(code, language);
  return (
    <figure className="code-block" dir="ltr" aria-label={`${language || "Text"} code`}>
      <div className="code-scroll">
        <div className="code-head">
          <span>{language || "text"}</span>
          <CopyButton text={code} label="Copy code" withWord className="code-copy" />
        </div>
        <pre>
          <code>
            <Coloured lines={lines} code={code} />
          </code>
        </pre>
      </div>
    </figure>
  );
}
