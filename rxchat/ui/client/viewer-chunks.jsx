// A document as the index sees it: the passages that it was cut into, in pages of fifty.
import { useEffect, useRef, useState } from "react";
import { ask } from "./backend.js";
import { Problem } from "./form-parts.jsx";

const PAGE = 50;

function Chunk({ chunk, onPassage }) {
  const { ordinal, page, heading, tokens, text } = chunk;
  return (
    <li className="chunk">
      <p className="chunk-facts">
        <b>#{ordinal + 1}</b>
        {page > 0 && <span>page {page}</span>}
        <span>{tokens} tokens</span>
        <button type="button" className="link-button" onClick={() => onPassage(chunk)}>Show in the document</button>
      </p>
      {heading && <p className="found-heading">{heading}</p>}
      <p className="chunk-text">{text}</p>
    </li>
  );
}

export function ChunksView({ documentId, onPassage }) {
  const [chunks, setChunks] = useState([]);
  const [isWhole, setWhole] = useState(false);
  const [problem, setProblem] = useState("");
  const isBusy = useRef(false);
  const foot = useRef(null);
  const more = async () => {
    if (isBusy.current) return;
    isBusy.current = true;
    const { data, problem: refused } = await ask("GET", `/api/documents/${documentId}/chunks?first=${chunks.length}&limit=${PAGE}`);
    isBusy.current = false;
    setProblem(refused ?? "");
    if (!data) return;
    setChunks((before) => [...before, ...data]);
    setWhole(data.length < PAGE);
  };
  useEffect(() => {
    if (!foot.current) return undefined;
    const watcher = new IntersectionObserver(([entry]) => entry.isIntersecting && more(), { rootMargin: "600px" });
    watcher.observe(foot.current);
    return () => watcher.disconnect();
  }, [chunks.length, isWhole]);
  if (isWhole && !chunks.length) return <p className="documents-none">No passages yet: the document is not ready.</p>;
  return (
    <>
      <ol className="chunks">{chunks.map((chunk) => <Chunk key={chunk.ordinal} chunk={chunk} onPassage={onPassage} />)}</ol>
      <Problem>{problem}</Problem>
      {!isWhole && <div ref={foot} className="viewer-more"><button type="button" className="button-quiet" onClick={more}>Show more</button></div>}
    </>
  );
}
