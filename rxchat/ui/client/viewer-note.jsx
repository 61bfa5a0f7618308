// Why a passage is not marked in what is shown, with what it says.

export const CHANGED = "This document has changed since: this passage does not stand in it any more.";
export const SCANNED = "This page is a scan: this passage cannot be marked on it.";
export const PICTURED = "This is a picture: this passage cannot be marked on it.";
export const UNMARKED = "This passage could not be found in the words of this page.";

export const PassageNote = ({ reason, says }) => (
  <div className="viewer-note" role="status">
    <p>{reason}</p>
    {says && <blockquote dir="auto">{says}</blockquote>}
  </div>
);
