// What is said of how a document was read.

const OTHERS = {
  pdf: "PDF", word: "Word document", powerpoint: "PowerPoint presentation", excel: "Excel workbook", opendocument: "OpenDocument",
  epub: "EPUB book", rtf: "RTF text", image: "Picture", scan: "Recognised text (OCR)",
};

/** Only the readers of text files can be chosen; of a file that failed before it was read nobody knows better. */
export const isChoosable = ({ reader, chosen_reader: chosen, state, media_type: kind }, readers) =>
  ["ready", "failed"].includes(state) && (readers.some(([key]) => key === reader || key === chosen) || (!reader && /^(text|message)\/|json|csv/.test(kind)));

/** "Read as plain text, in windows-1252 (chosen)". */
export function readingWords({ reader, encoding, chosen_encoding: chosen, state, media_type: kind }, readers) {
  const name = readers.find(([key]) => key === reader)?.[1] ?? OTHERS[reader];
  if (!name) return state === "failed" && /^(text|message)\/|json|csv/.test(kind) ? "Not read." : "";
  const how = encoding && (chosen ? `encoding ${encoding} (chosen)` : `encoding ${encoding} (detected)`);
  return [`Read as: ${name}`, how].filter(Boolean).join(", ");
}
