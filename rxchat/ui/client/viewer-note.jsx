// Why a passage is not marked in what is shown, with what it says.
import { useState } from "react";
import { X } from "lucide-react";

export const CHANGED = "This document has changed and no longer contains this passage.";
export const SCANNED = "This page is a scan, so the passage cannot be highlighted.";
export const PICTURED = "This is a picture, so the passage cannot be highlighted.";
export const UNMARKED = "This passage could not be found in the text of this page.";

/** Whoever has read it closes it: it lies above what it is about. */
export function PassageNote({ reason, says }) {
  const [isClosed, setClosed] = useState(false);
  if (isClosed) return null;
  return (
    <div className="viewer-note" role="status">
      <button type="button" className="icon-button small" aria-label="Close this note" onClick={() => setClosed(true)}>
        <X size={16} strokeWidth={1.75} aria-hidden="true" />
      </button>
      <p>{reason}</p>
      {says && <blockquote dir="auto">{says}</blockquote>}
    </div>
  );
}
