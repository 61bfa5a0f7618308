// How a document was read: as what, in which encoding, and what was left out; its owner can have it read otherwise.
import { useState } from "react";
import { ask } from "./backend.js";
import { Problem } from "./form-parts.jsx";
import { isChoosable, readingWords } from "./viewer-words.js";

function Choice({ id, label, value, options, automatic, onChange }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="select" value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">{automatic}</option>
        {options.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
      </select>
    </div>
  );
}

function Choices({ facts, encodings, readers, onDone }) {
  const [encoding, setEncoding] = useState(facts.chosen_encoding);
  const [reader, setReader] = useState(facts.chosen_reader);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    const answer = await ask("POST", `/api/documents/${encodeURIComponent(facts.id)}/read-again`, { encoding, reader });
    setBusy(false);
    setProblem(answer.problem ?? "");
    if (!answer.problem) onDone();
  };
  return (
    <form className="reading-choices" onSubmit={send}>
      <Problem>{problem}</Problem>
      <Choice id="reading-encoding" label="Encoding" value={encoding} options={encodings} automatic="Automatic" onChange={setEncoding} />
      <Choice id="reading-reader" label="Format" value={reader} options={readers} automatic="Automatic" onChange={setReader} />
      <button type="submit" className="button-quiet" disabled={isBusy}>Parse again</button>
    </form>
  );
}

export function Reading({ facts, isOwn, encodings, readers, onDone }) {
  const [isOpen, setOpen] = useState(false);
  const words = readingWords(facts, readers);
  const done = () => {
    setOpen(false);
    onDone();
  };
  return (
    <>
      {words && (
        <p className="collection-facts">
          <span>{words}</span>
          {isOwn && isChoosable(facts, readers) && (
            <button type="button" className="link-button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>Change</button>
          )}
        </p>
      )}
      {isOpen && <Choices key={`${facts.chosen_encoding} ${facts.chosen_reader}`} {...{ facts, encodings, readers }} onDone={done} />}
      {facts.warnings && <p className="document-note">{facts.warnings}</p>}
    </>
  );
}
