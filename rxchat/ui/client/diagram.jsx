// A Mermaid diagram: drawn when its block is complete, and its source below it.
import { useState } from "react";
import { CodeBlock } from "./code-block.jsx";
import { Frame } from "./frame.jsx";

/** @param {Record<string, any>} props */
export function Diagram({ code }) {
  const [isSource, setSource] = useState(false);
  const [problem, setProblem] = useState("");
  const source = <CodeBlock code={code} language="mermaid" isGrowing={false} preview={null} />;
  if (problem)
    return (
      <>
        {source}
        <p className="message-status">This diagram cannot be drawn. {problem}</p>
      </>
    );
  return (
    <figure className="diagram" aria-label="Diagram">
      <Frame kind="diagram" text={code} title="Diagram" onError={setProblem} />
      <button type="button" className="fold" aria-expanded={isSource} onClick={() => setSource(!isSource)}>
        {isSource ? "Hide source" : "Show source"}
      </button>
      {isSource && source}
    </figure>
  );
}
