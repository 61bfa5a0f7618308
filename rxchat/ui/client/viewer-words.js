// What is said of how a document was read.

const OTHERS = {
  pdf: "PDF", word: "Word document", powerpoint: "PowerPoint presentation", excel: "Excel workbook", opendocument: "OpenDocument",
  epub: "EPUB book", rtf: "RTF text", image: "Picture", scan: "Recognized text (OCR)",
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

/** What part a version plays, in words. */
export function versionWords({ version_state: part, state, error }) {
  if (part === "current") return "in use";
  if (part === "superseded") return "earlier version";
  return state === "failed" ? `not in use: ${error || "it could not be read."}` : "replaces the one in use once it is ready";
}

/** What has to be known about the version that is shown: {words, link, id}; null for the one in use, when nothing replaces it. */
export function noticeOf({ id, version }, versions) {
  const current = versions.find(({ version_state: part }) => part === "current");
  const shown = versions.find((one) => one.id === id);
  const link = current && { link: `Open version ${current.version}`, id: current.id };
  if (shown?.version_state === "superseded") return { words: `This is version ${version}. A newer version is in use.`, ...link };
  if (shown?.version_state === "pending") {
    return shown.state === "failed"
      ? { words: `Version ${version} could not be read, so version ${current?.version} stays in use.`, ...link }
      : { words: `Version ${version} is used once it is ready. Until then, version ${current?.version} is.`, ...link };
  }
  const next = versions.find((one) => one.version_state === "pending" && one.version > version);
  if (!next) return null;
  return next.state === "failed"
    ? { words: `Version ${next.version} could not be read, so this one stays in use.`, link: "See why", id: next.id }
    : { words: `Version ${next.version} replaces this one once it is ready.`, link: `Open version ${next.version}`, id: next.id };
}
