// What was typed and not yet taken by the server, kept in the browser so that nothing that happens loses it.

const PREFIX = "rxchat:draft:";

const place = (viewer, conversation) => `${PREFIX}${viewer}:${conversation || "new"}`;

function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key)) ?? {};
  } catch {
    return {};
  }
}

function write(storage, key, draft) {
  try {
    if (draft.text || draft.sent || draft.aside || draft.attached) storage.setItem(key, JSON.stringify(draft));
    else storage.removeItem(key);
  } catch {
    // Storage is full or forbidden: the text is still in the composer.
  }
}

/**
 * Drafts over a Storage: `text` is being written, `attached` is what will go along with it, `sent` is on its way until the
 * server is known to have it, and `aside` are the texts of waiting messages that are being taken back, by their ids.
 */
export function createDrafts(storage) {
  const change = (key, next) => write(storage, key, { ...read(storage, key), ...next });
  const keys = (viewer, conversation) => [...new Set([place(viewer, conversation), place(viewer, "")])];
  return {
    /** Forget all of them, for when the person leaves this browser. */
    clear() {
      const all = Array.from({ length: storage.length ?? 0 }, (_, at) => storage.key(at));
      for (const key of all) if (key?.startsWith(PREFIX)) storage.removeItem(key);
    },
    /** What belongs into the composer after a load. */
    load: (viewer, conversation) => read(storage, place(viewer, conversation)).text ?? "",
    /** What was sent from this page and is not known to have arrived, or undefined. */
    unsettled: (viewer, conversation) => read(storage, place(viewer, conversation)).sent,
    type(viewer, conversation, text) {
      change(place(viewer, conversation), { text });
    },
    /** What was attached there to what is being written: {draft, chips}, or undefined. */
    attached: (viewer, conversation) => read(storage, place(viewer, conversation)).attached,
    attach(viewer, conversation, attached) {
      change(place(viewer, conversation), { attached });
    },
    /** What goes along is kept with the message until it has arrived: it may have to be sent again. */
    send(viewer, conversation, id, text, attached) {
      change(place(viewer, conversation), { text: "", sent: { id, text, attached } });
    },
    /** The new-chat page turned into this conversation: what was typed meanwhile goes along. */
    move(viewer, conversation) {
      const from = place(viewer, "");
      const draft = read(storage, from);
      if (!draft.text && !draft.sent && !draft.attached) return;
      change(place(viewer, conversation), draft);
      write(storage, from, {});
    },
    /** Forget the send with this id, wherever it was written from. */
    settle(viewer, conversation, id) {
      for (const key of keys(viewer, conversation)) if (read(storage, key).sent?.id === id) change(key, { sent: undefined });
    },
    /** Forget what was sent and has arrived. */
    settleKnown(viewer, conversation, isKnown) {
      for (const key of keys(viewer, conversation)) {
        const { sent } = read(storage, key);
        if (sent && isKnown(sent.id)) change(key, { sent: undefined });
      }
    },
    /** Keep the text of a message that waits, before it is taken back. */
    putAside(viewer, conversation, id, text) {
      const key = place(viewer, conversation);
      change(key, { aside: { ...read(storage, key).aside, [id]: text } });
    },
    /** The texts that were put aside here: {id: text}. */
    aside: (viewer, conversation) => read(storage, place(viewer, conversation)).aside ?? {},
    dropAside(viewer, conversation, id) {
      const key = place(viewer, conversation);
      const { [id]: dropped, ...others } = read(storage, key).aside ?? {};
      if (dropped !== undefined) change(key, { aside: Object.keys(others).length ? others : undefined });
    },
  };
}
