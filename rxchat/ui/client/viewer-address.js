// Where a document is shown, open at a passage: for citations, and for what was found.

const PAGE = "/documents/view/";
const PARTS = /^\/documents\/view\/([^?#]*)\??([^#]*)(.*)$/;
const LONGEST_QUOTE = 300;

// Half of an emoji would make the address no address.
const beginning = (quote) =>
  Array.from(quote.trim().slice(0, 2 * LONGEST_QUOTE))
    .slice(0, LONGEST_QUOTE)
    .join("")
    .replace(/[\ud800-\udbff]$/, "");

/**
 * The address of a document on this site; `start` and `end` count code points of its text, `page` counts from 1. `quote` is what
 * the text says there, or how that begins: without it, a change of the document since then would not be noticed.
 */
export function viewerAddress({ documentId, start, end, page, quote }) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ start, end, page })) if (value > 0) query.set(name, value);
  const said = query.toString();
  // Behind the hash: what a document says is no server's business, and would be kept in the logs of proxies.
  const words = quote ? `#${new URLSearchParams({ quote: beginning(quote) })}` : "";
  return `${PAGE}${encodeURIComponent(documentId)}${said ? `?${said}` : ""}${words}`;
}

/** The address of the conversation at `path` with the document of that address beside it. */
export function besideAddress(path, address) {
  const [, documentId = "", passage = "", quote = ""] = PARTS.exec(address) ?? [];
  return `${path}?document=${documentId}${passage && `&${passage}`}${quote}`;
}
