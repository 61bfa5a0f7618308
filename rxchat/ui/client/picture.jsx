// A picture of another site: it would reveal the reader to that site, so it is loaded when the reader says so, and in a page without an origin.
import { useState } from "react";
import { ImageIcon } from "lucide-react";
import { Frame } from "./frame.jsx";
import { hostOf } from "./words.js";

/** @param {Record<string, any>} props */
export function Picture({ address, name }) {
  const [isShown, setShown] = useState(false);
  const [problem, setProblem] = useState("");
  const load = (event) => {
    // It may stand in a link.
    event.preventDefault();
    setProblem("");
    setShown(true);
  };
  if (isShown && !problem) return <Frame kind="image" text={address} title={name} alt={name} takesFocus onError={setProblem} />;
  return (
    <span className="picture">
      <button type="button" className="button-quiet" onClick={load}>
        <ImageIcon size={15} strokeWidth={1.75} aria-hidden="true" /> Load image from {hostOf(address)}
      </button>
      <a href={address} target="_blank" rel="noopener noreferrer nofollow">{`Image: ${name}`}</a>
      {problem && <span role="status">{problem}</span>}
    </span>
  );
}
