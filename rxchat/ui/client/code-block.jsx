// A block of code. In JavaScript, since its colours are computed while it grows and its text goes to the clipboard.
import { Fragment, memo, useEffect, useRef, useState } from "react";
import { ListOrdered, WrapText } from "lucide-react";
import { toggle, useCodeView } from "./code-view.js";
import { CopyButton } from "./copy.jsx";
import { Toolbar } from "./toolbar.jsx";

const BIG = 60000;
/** More lines than this are folded. */
const LONG = 40;

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

/** One line. Colours that do not fit its text yet are one render behind: what they do not cover is plain. */
const Line = memo(function Line(/** @type {{ text: string, tokens: any[] | undefined }} */ { text, tokens }) {
  const coloured = tokens?.map((token) => token.content).join("") ?? "";
  const isFitting = coloured && text.startsWith(coloured);
  return (
    <span className="code-line">
      {isFitting &&
        tokens?.map((token, at) => (
          <span key={at} style={{ color: token.color }}>
            {token.content}
          </span>
        ))}
      {isFitting ? text.slice(coloured.length) : text}
    </span>
  );
});

function Lines({ code, language }) {
  const colours = useColours(code, language);
  const lines = code.split("\n");
  return lines.map((text, at) => (
    <Fragment key={at}>
      <Line text={text} tokens={colours?.[at]} />
      {at < lines.length - 1 && "\n"}
    </Fragment>
  ));
}

const Toggle = ({ icon: Icon, label, isOn, onClick }) => (
  <button type="button" className="code-tool is-icon" aria-label={label} aria-pressed={isOn} data-tip={label} onClick={onClick}>
    <Icon size={14} strokeWidth={1.75} aria-hidden="true" />
  </button>
);

/** Long code is folded when it comes from the history; one that was watched while it grew stays as it is. */
function useFold(code, isGrowing) {
  const [isOpen, setOpen] = useState(isGrowing);
  const count = code.split("\n").length;
  return { count, isLong: count > LONG, isOpen, flip: () => setOpen(!isOpen) };
}

export function CodeBlock({ code, language, isGrowing, preview }) {
  const { wraps, numbers } = useCodeView();
  const fold = useFold(code, isGrowing);
  const width = /** @type {any} */ ({ "--digits": `${String(fold.count).length}ch` });
  return (
    <figure className="code-block" dir="ltr" translate="no" aria-label={`${language || "Text"} code`}>
      <div className="code-scroll" data-wraps={wraps || undefined} data-numbers={numbers || undefined} style={width}>
        <div className="code-head">
          <span className="code-language">{language || "text"}</span>
          <Toolbar label="Code" className="code-tools">
            {preview && !isGrowing && (
              <button type="button" className="code-tool" onClick={preview.open}>
                <preview.icon size={14} strokeWidth={1.75} aria-hidden="true" />
                <span>Preview</span>
              </button>
            )}
            <CopyButton text={code} label="Copy code" withWord className="code-tool" />
            <Toggle icon={WrapText} label="Wrap lines" isOn={wraps} onClick={() => toggle("wraps")} />
            <Toggle icon={ListOrdered} label="Line numbers" isOn={numbers} onClick={() => toggle("numbers")} />
          </Toolbar>
        </div>
        <pre data-folded={(fold.isLong && !fold.isOpen) || undefined}>
          <code>
            <Lines code={code} language={language} />
          </code>
        </pre>
        {fold.isLong && (
          <button type="button" className="code-fold" aria-expanded={fold.isOpen} onClick={fold.flip}>
            {fold.isOpen ? "Show fewer lines" : `Show all ${fold.count.toLocaleString("en")} lines`}
          </button>
        )}
      </div>
    </figure>
  );
}
