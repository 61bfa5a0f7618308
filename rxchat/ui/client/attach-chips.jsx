// The chips above the text field: what goes along with the message that is being written.
import { FileText, FileWarning, Library, RotateCcw, Upload, X } from "lucide-react";
import { isComing, isLeftOut } from "./attach-state.js";

const AROUND = 2 * Math.PI * 6.5;

function Ring({ progress }) {
  return (
    <svg className="attachment-ring" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="8" cy="8" r="6.5" />
      <circle cx="8" cy="8" r="6.5" className="attachment-ring-done" strokeDasharray={AROUND} strokeDashoffset={AROUND * (1 - Math.max(0.06, progress))} />
    </svg>
  );
}

function Mark({ chip }) {
  if (isComing(chip)) return <Ring progress={chip.progress} />;
  const Icon = isLeftOut(chip) ? FileWarning : chip.kind === "collection" ? Library : FileText;
  return <Icon size={16} strokeWidth={1.75} aria-hidden="true" />;
}

function saidOf(chip) {
  if (chip.error) return chip.error;
  if (chip.state === "lost") return "Connection lost. The upload will resume on its own.";
  return "";
}

function Chip({ chip, onRemove, onRetry, onChoose }) {
  const said = saidOf(chip);
  const percent = Math.floor(chip.progress * 100);
  return (
    <li className="attachment" data-kind={chip.kind} data-failed={isLeftOut(chip) || undefined}>
      <Mark chip={chip} />
      <span className="attachment-words">
        <span className="attachment-name" title={chip.name}>{chip.name}</span>
        {isComing(chip) && !said && <span className="sr-only">{`, ${percent} % uploaded`}</span>}
        {said && <span className="attachment-said" role={chip.error ? "alert" : undefined}>{said}</span>}
      </span>
      {chip.state === "failed" && <button type="button" className="attachment-button" aria-label={`Upload ${chip.name} again`} title="Retry" onClick={() => onRetry(chip.key)}><RotateCcw size={14} aria-hidden="true" /></button>}
      {chip.state === "gone" && <button type="button" className="attachment-button" aria-label={`Choose ${chip.name} again`} title="Choose again" onClick={onChoose}><Upload size={14} aria-hidden="true" /></button>}
      <button type="button" className="attachment-button" aria-label={`Remove ${chip.name}`} onClick={() => onRemove(chip.key)}><X size={14} aria-hidden="true" /></button>
    </li>
  );
}

export function Chips({ chips, ...acts }) {
  if (!chips.length) return null;
  return (
    <ul className="attachment-all" aria-label="Attached to this message">
      {chips.map((chip) => <Chip key={chip.key} chip={chip} {...acts} />)}
    </ul>
  );
}
