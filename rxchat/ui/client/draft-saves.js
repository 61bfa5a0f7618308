// Saving drafts to the server, and what its answers mean: without a page.

/** Longer ones stay in this browser. */
const LONGEST = 10_000;

/**
 * Over the `drafts` of this browser; `newName` gives names that the answers repeat.
 * @param {any} drafts
 * @param {() => string} newName
 */
export function createDraftSaves(drafts, newName = () => crypto.randomUUID()) {
  /** @type {Map<string, { conversation: string, text: string }>} */
  const sent = new Map();
  return {
    /** Save by `send(conversation, text, name, base)` what the server does not have. */
    save(currentUser, conversation, send) {
      const text = drafts.load(currentUser, conversation);
      if (!drafts.isUnsaved(currentUser, conversation) || Array.from(text).length > LONGEST) return;
      const name = newName();
      sent.set(name, { conversation, text });
      drafts.trySave(currentUser, conversation, text);
      send(conversation, text, name, drafts.saved(currentUser, conversation));
    },
    /**
     * Take the server's answer to a save; returns its conversation if there is more to save, else undefined.
     * @param {string} currentUser
     * @param {{ name: string, is_saved: boolean, other: string }} answer
     */
    answer(currentUser, { name, is_saved, other }) {
      const known = sent.get(name);
      if (!known) return undefined;
      sent.delete(name);
      if (is_saved) drafts.markSaved(currentUser, known.conversation, known.text);
      else drafts.merge(currentUser, known.conversation, other);
      return drafts.isUnsaved(currentUser, known.conversation) ? known.conversation : undefined;
    },
  };
}
