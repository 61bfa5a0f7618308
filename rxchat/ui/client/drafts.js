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
    if (draft.text || draft.sent) storage.setItem(key, JSON.stringify(draft));
    else storage.removeItem(key);
  } catch {
    // Storage is full or forbidden: the text is still in the composer.
  }
}

/** Drafts over a Storage: `text` is being written, `sent` is on its way and comes back unless it is accepted. */
export function createDrafts(storage) {
  return {
    /** What belongs into the composer after a load: a send that was never accepted, then what was typed after it. */
    load(viewer, conversation, isAccepted = () => false) {
      const draft = read(storage, place(viewer, conversation));
      const lost = draft.sent && !isAccepted(draft.sent.id) ? draft.sent.text : "";
      return [lost, draft.text].filter(Boolean).join("\n\n");
    },
    type(viewer, conversation, text) {
      const key = place(viewer, conversation);
      write(storage, key, { ...read(storage, key), text });
    },
    send(viewer, conversation, id, text) {
      write(storage, place(viewer, conversation), { text: "", sent: { id, text } });
    },
    /** The new-chat page turned into this conversation: what was typed meanwhile goes along. */
    move(viewer, conversation) {
      const from = place(viewer, "");
      const draft = read(storage, from);
      if (!draft.text && !draft.sent) return;
      write(storage, place(viewer, conversation), draft);
      write(storage, from, {});
    },
    /** Forget the send with this id, wherever it was written from. */
    settle(viewer, conversation, id) {
      for (const key of [place(viewer, conversation), place(viewer, "")]) {
        const draft = read(storage, key);
        if (draft.sent?.id === id) write(storage, key, { text: draft.text });
      }
    },
  };
}
