// Where a document is shown, beside a chat and on its own page: only the browser knows its address behind the hash.

const PARTS = /^\/documents\/view\/([^?#]*)\??([^#]*)(.*)$/;

/** The address of a document's own page at a passage, as domain/viewer_address.py makes it, from an address beside a chat. */
export function viewerAddress({ documentId, quote, ...places }) {
  const query = new URLSearchParams(Object.entries(places).filter(([, value]) => value > 0));
  // Behind the hash: what a document says is no server's business, and would be kept in the logs of proxies.
  const words = quote ? `#${new URLSearchParams({ quote })}` : "";
  return `/documents/view/${encodeURIComponent(documentId)}${query.size ? `?${query}` : ""}${words}`;
}

/** The address of the conversation at `path` with the document of that address beside it. */
export function besideAddress(path, address) {
  const [, documentId = "", passage = "", quote = ""] = PARTS.exec(address) ?? [];
  return `${path}?document=${documentId}${passage && `&${passage}`}${quote}`;
}
