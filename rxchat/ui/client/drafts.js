// What was typed and not yet taken by the server, in the browser's storage: it outlives the page, the line and the server.

const PREFIX = "rxchat:draft:";
const MOST_TRIED = 8;

const place = (currentUser, conversation) => `${PREFIX}${currentUser}:${conversation || "new"}`;

function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key)) ?? {};
  } catch {
    return {};
  }
}

function write(storage, key, draft) {
  try {
    if (draft.text || draft.sent || draft.aside || draft.attached || draft.saved || draft.tried?.length) storage.setItem(key, JSON.stringify(draft));
    else storage.removeItem(key);
  } catch {
    // Storage is full or forbidden: the text is still in the composer.
  }
}

/** What the server has of drafts, and what it may have. */
function createSynced(storage, change) {
  const synced = {
    /** Whether the server has, or may have, something else than what is being written. */
    isUnsaved(currentUser, conversation) {
      const { text = "", saved = "", tried = [] } = read(storage, place(currentUser, conversation));
      return text !== saved || tried.some((one) => one !== text);
    },
    /** What the server had when this browser last heard of it. */
    saved: (currentUser, conversation) => read(storage, place(currentUser, conversation)).saved ?? "",
    /** This text is on its way to the server. */
    trySave(currentUser, conversation, text) {
      const key = place(currentUser, conversation);
      change(key, { tried: [...(read(storage, key).tried ?? []), text].slice(-MOST_TRIED) });
    },
    /** The server has this text now; it has taken or refused what was tried before. */
    markSaved(currentUser, conversation, saved) {
      const key = place(currentUser, conversation);
      const { tried = [] } = read(storage, key);
      change(key, { saved, tried: tried.slice(tried.lastIndexOf(saved) + 1) });
    },
    /** Another device has written this. */
    receive(currentUser, conversation, text) {
      change(place(currentUser, conversation), { text, saved: text, tried: [] });
    },
    /** The server kept this in place of what was saved: what another device wrote follows what is being written here. */
    merge(currentUser, conversation, other) {
      const key = place(currentUser, conversation);
      const { text = "", saved = "", tried = [] } = read(storage, key);
      if (other === saved || tried.includes(other)) return synced.markSaved(currentUser, conversation, other);
      const both = text.includes(other) ? text : [text, other].filter((part) => part.trim()).join("\n\n");
      return change(key, { text: both, saved: other, tried: [] });
    },
  };
  return synced;
}

/**
 * Drafts over a Storage: `text` is being written, `saved` is what the server has of it for other devices, `tried` is what it may have instead (saves without an answer, oldest first), `attached` is what will go along with it, `sent` is on its way until the
 * server is known to have it, and `aside` are the texts of waiting messages that are being taken back, by their ids.
 */
export function createDrafts(storage) {
  const change = (key, next) => write(storage, key, { ...read(storage, key), ...next });
  const keys = (currentUser, conversation) => [...new Set([place(currentUser, conversation), place(currentUser, "")])];
  return {
    /** Forget all of them, for when the person leaves this browser. */
    clear() {
      const all = Array.from({ length: storage.length ?? 0 }, (_, at) => storage.key(at));
      for (const key of all) if (key?.startsWith(PREFIX)) storage.removeItem(key);
    },
    /** What belongs into the composer after a load. */
    load: (currentUser, conversation) => read(storage, place(currentUser, conversation)).text ?? "",
    /** What was sent from this page and is not known to have arrived, or undefined. */
    unsettled: (currentUser, conversation) => read(storage, place(currentUser, conversation)).sent,
    type(currentUser, conversation, text) {
      change(place(currentUser, conversation), { text });
    },
    ...createSynced(storage, change),
    /** What was attached there to what is being written: {draft, chips}, or undefined. */
    attached: (currentUser, conversation) => read(storage, place(currentUser, conversation)).attached,
    attach(currentUser, conversation, attached) {
      change(place(currentUser, conversation), { attached });
    },
    /** What goes along is kept with the message until it has arrived: it may have to be sent again. */
    send(currentUser, conversation, id, text, attached) {
      change(place(currentUser, conversation), { text: "", sent: { id, text, attached } });
    },
    /** The new-chat page turned into this conversation: what was typed meanwhile goes along. */
    move(currentUser, conversation) {
      const from = place(currentUser, "");
      const draft = read(storage, from);
      if (!draft.text && !draft.sent && !draft.attached) return;
      change(place(currentUser, conversation), draft);
      write(storage, from, {});
    },
    /** Forget the send with this id, wherever it was written from. */
    settle(currentUser, conversation, id) {
      for (const key of keys(currentUser, conversation)) if (read(storage, key).sent?.id === id) change(key, { sent: undefined });
    },
    /** Forget what was sent and has arrived. */
    settleKnown(currentUser, conversation, isKnown) {
      for (const key of keys(currentUser, conversation)) {
        const { sent } = read(storage, key);
        if (sent && isKnown(sent.id)) change(key, { sent: undefined });
      }
    },
    /** Keep the text of a message that waits, before it is taken back. */
    putAside(currentUser, conversation, id, text) {
      const key = place(currentUser, conversation);
      change(key, { aside: { ...read(storage, key).aside, [id]: text } });
    },
    /** The texts that were put aside here: {id: text}. */
    aside: (currentUser, conversation) => read(storage, place(currentUser, conversation)).aside ?? {},
    dropAside(currentUser, conversation, id) {
      const key = place(currentUser, conversation);
      const { [id]: dropped, ...others } = read(storage, key).aside ?? {};
      if (dropped !== undefined) change(key, { aside: Object.keys(others).length ? others : undefined });
    },
  };
}
