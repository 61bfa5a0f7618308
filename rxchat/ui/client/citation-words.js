// What a citation's source says, in the words of its card and of the list under an answer. Pure, so that it can be tested alone.
import { viewerAddress } from "./viewer-address.js";

const LONGEST_CLAIM = 200;
const EXCERPT = 600;
const REASONS = { "no such source": "the source does not exist", "not in the source": "the source does not contain these words" };

const points = (text) => Array.from(text);
const isQuoting = (citation) => !!citation?.verified && !!citation.quote;

/** Why a citation does not hold, in a sentence; "" when it does. */
export const reasonOf = ({ verified, reason }) => (verified ? "" : `Not verified: ${REASONS[reason] ?? "it could not be checked"}.`);

/** Where a source stands: "page 3 · Holidays". */
export const placeOf = ({ page, heading }) => [page > 0 && `page ${page}`, heading].filter(Boolean).join(" · ");

/**
 * The part of a passage around what is quoted, in three parts: {before, quoted, after}, of `most` characters or a few more.
 * `start` and `end` count code points of the document, as the passage's own do.
 */
export function excerptOf(source, citation, most = EXCERPT) {
  const all = points(source.text);
  const from = isQuoting(citation) ? Math.min(all.length, Math.max(0, citation.start - source.start)) : 0;
  const to = isQuoting(citation) ? Math.min(all.length, Math.max(from, citation.end - source.start)) : 0;
  const room = Math.max(0, most - (to - from));
  const lead = Math.min(from, Math.max(Math.floor(room / 2), room - (all.length - to)));
  const tail = Math.min(all.length - to, room - lead);
  const [first, last] = [from - lead, to + tail];
  return {
    before: (first > 0 ? "…" : "") + all.slice(first, from).join(""),
    quoted: all.slice(from, to).join(""),
    after: all.slice(to, last).join("") + (last < all.length ? "…" : ""),
  };
}

/** The address of the passage that a citation leads to, with what the text says there; "" if its document cannot be opened. */
export function addressOf(source, citation) {
  if (!source?.is_there || !source.is_allowed) return "";
  const { start, end } = isQuoting(citation) ? citation : source;
  const part = points(source.text).slice(start - source.start, end - source.start);
  return viewerAddress({ documentId: source.document_id, start, end, page: source.page, quote: isQuoting(citation) ? part.join("") : source.text });
}

/** The source with the number of a citation, in the answer of `sourcesOf`. */
export const sourceOf = ({ data }, { number }) => data?.find((source) => source.number === number);

/** The card of a citation; `answer` is that of `sourcesOf`, or {} while it is on its way. Python draws it (ui/chat/citations.py). */
export function cardOf(citation, answer) {
  const { reason, quote = "" } = citation;
  const claim = reason === "not in the source" ? `“${quote.slice(0, LONGEST_CLAIM)}${quote.length > LONGEST_CLAIM ? "…" : ""}”` : "";
  const card = {
    label: `Source ${citation.number}`,
    reason: reasonOf(citation),
    claim,
    note: "",
    name: "",
    place: "",
    before: "",
    quoted: "",
    after: "",
    to: "",
  };
  if (reason === "no such source") return card;
  const source = sourceOf(answer, citation);
  if (!source) return { ...card, note: answer.problem || (answer.data ? "This source no longer exists." : "Loading the source…") };
  if (!source.is_allowed) return { ...card, note: "You no longer have access to this document." };
  const note = source.is_there ? "" : "This document was deleted. This is its text at the time.";
  return { ...card, note, name: source.name, place: placeOf(source), ...excerptOf(source, citation), to: addressOf(source, citation) };
}
