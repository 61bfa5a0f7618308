// Where a document is shown, open at a passage: for citations, and for what was found.

/** The address of a document on this site; `start` and `end` count code points of its text, `page` counts from 1. */
export function viewerAddress({ documentId, start, end, page, quote }) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ start, end, page })) if (value > 0) query.set(name, value);
  if (quote) query.set("quote", quote.slice(0, 500));
  const said = query.toString();
  return `/documents/view/${encodeURIComponent(documentId)}${said ? `?${said}` : ""}`;
}

/** What such an address names: {start, end, page, quote}; numbers that are none are 0. */
export function passageIn(query) {
  const number = (name) => {
    const found = Number(query.get(name));
    return Number.isSafeInteger(found) && found > 0 ? found : 0;
  };
  const [start, end, page] = ["start", "end", "page"].map(number);
  return { start, end: Math.max(start, end), page, quote: (query.get("quote") ?? "").slice(0, 500) };
}
