// What the browser knows of one conversation, and how patches and window packets change it.
// No React and no DOM in here, so that the rules can be tested alone.

export const EMPTY_TEXT = Object.freeze({ text: "", reasoning: "" });

const EMPTY_VIEW = Object.freeze({ tag: null, messages: [], older: false, loadingOlder: false, pending: [], waiting: null, born: false });

/** Which of two versions of a running text is ahead; a text that was rewritten wins over what was kept. */
export function furtherText(kept, given) {
  if (!kept) return given;
  return kept.length > given.length && kept.startsWith(given) ? kept : given;
}

/** Put a window packet's piece into a buffer. Null says that something before it is missing. */
export function placeWindow(buffer, offset, piece) {
  return offset > buffer.length ? null : buffer.slice(0, offset) + piece;
}

/** Make the model of the page's one thread. `changed` tells subscribers: ("view") or ("text", message id). */
export function createThread(changed = () => {}) {
  let view = EMPTY_VIEW;
  let lastPatch = null;
  let lastPacket = null;
  let number = null;
  let awaitingSet = false;
  let awaitingMore = false;
  const texts = new Map();
  const accepted = new Set();
  // What was sent from the page that is shown: a page that is loaded anew is told of what was sent from the one before.
  const sentHere = new Set();
  // Of these nobody knows whether the server has had them for long: no append need follow.
  const doubtful = new Set();

  const show = (next) => {
    view = { ...view, ...next };
    changed("view");
  };

  const find = (id) => view.messages.find((message) => message.id === id);

  const askOnce = (resync) => {
    if (awaitingSet) return;
    awaitingSet = true;
    resync();
  };

  /** A running message shows its buffer, so what came with the patch goes there; all others keep their own text. */
  const adopt = (message) => {
    if (message.state !== "running") {
      texts.delete(message.id);
      return message;
    }
    const kept = texts.get(message.id) ?? EMPTY_TEXT;
    const text = furtherText(kept.text, message.text ?? "");
    const reasoning = furtherText(kept.reasoning, message.reasoning ?? "");
    texts.set(message.id, { text, reasoning });
    return message;
  };

  const waits = (id) => !!view.waiting?.some((message) => message.id === id);

  /** A message has the id that the browser gave it, wherever it comes from. */
  const withoutDelivered = (items) => {
    const delivered = new Set(items.map((item) => item.client_id ?? item.id));
    const left = view.pending.filter((sent) => !delivered.has(sent.id));
    return left.length === view.pending.length ? view.pending : left;
  };

  const operations = {
    set(patch, tag) {
      awaitingSet = false;
      const kept = new Set(patch.items.map((item) => item.id));
      for (const id of texts.keys()) if (!kept.has(id)) texts.delete(id);
      const messages = patch.items.map(adopt);
      const pending = withoutDelivered(messages).filter((sent) => !accepted.has(sent.id) && !waits(sent.id));
      for (const sent of pending) doubtful.add(sent.id);
      show({ tag, messages, older: !!patch.older, loadingOlder: false, pending });
    },
    append(patch) {
      const fresh = patch.items.filter((item) => !find(item.id)).map(adopt);
      show({ messages: [...view.messages, ...fresh], pending: withoutDelivered(patch.items) });
    },
    prepend(patch) {
      const fresh = patch.items.filter((item) => !find(item.id)).map(adopt);
      show({ messages: [...fresh, ...view.messages], older: !!patch.older, loadingOlder: false, pending: withoutDelivered(patch.items) });
    },
    finish(patch, tag, resync) {
      const item = patch.item;
      const buffer = texts.get(item.id) ?? EMPTY_TEXT;
      const isWhole = buffer.text.length === item.length && buffer.reasoning.length === (item.reasoning_length ?? 0);
      const before = find(item.id);
      if (!before || (before.state === "running" && !isWhole)) return askOnce(resync);
      if (before.state !== "running") return undefined;
      return operations.replace({ item: { ...before, ...item, ...buffer } });
    },
    extend(patch, tag, resync) {
      const before = find(patch.id);
      const whole = before && placeWindow(before[patch.kind] ?? "", patch.offset, patch.text);
      if (before && whole === null) return askOnce(resync);
      if (before) show({ messages: view.messages.map((message) => (message === before ? { ...before, [patch.kind]: whole } : message)) });
      return undefined;
    },
    replace(patch) {
      const before = patch.item.keeps && find(patch.item.id);
      // An answer that goes on begins with what is here of it, until the stream brings the rest.
      if (before && !texts.has(before.id)) texts.set(before.id, { text: before.text ?? "", reasoning: before.reasoning ?? "" });
      const item = adopt(patch.item);
      const messages = view.messages.map((message) => (message.id === item.id ? item : message));
      show({ messages, pending: withoutDelivered([item]) });
    },
  };

  return {
    view: () => view,
    text: (id) => texts.get(id) ?? EMPTY_TEXT,

    /** Apply a patch from the server; `tag` is the conversation that the server says it shows. */
    patch(patch, tag, resync = () => {}, more = () => {}) {
      if (!patch?.change || patch === lastPatch) return;
      lastPatch = patch;
      const before = number;
      number = patch.number;
      if (patch.change === "set" || patch.change === "extend") awaitingMore = false;
      // The next piece of a long text is fetched when this one is here: two that come together would be drawn as one.
      if (patch.more && !awaitingMore) {
        awaitingMore = true;
        more();
      }
      if (patch.change === "set") return operations.set(patch, tag);
      // After a load the last patch of the page before may come first; the `set` of this one is on its way.
      if (before === null) return undefined;
      if (patch.number !== before + 1 || awaitingSet) return askOnce(resync);
      operations[patch.change]?.(patch, tag, resync);
    },

    /** Apply a window packet: the newest piece of a running answer. */
    packet(packet, resync = () => {}) {
      if (!packet?.message_id || packet === lastPacket) return;
      lastPacket = packet;
      const message = find(packet.message_id);
      if (message && message.state !== "running") return;
      const buffer = texts.get(packet.message_id) ?? EMPTY_TEXT;
      const next = placeWindow(buffer[packet.kind], packet.offset, packet.text);
      if (next === null) {
        if (message) askOnce(resync);
        return;
      }
      texts.set(packet.message_id, { ...buffer, [packet.kind]: next });
      changed("text", packet.message_id);
    },

    /** Show what the person sent, before the server has it; `attached` goes along. */
    sent(id, text, attached) {
      sentHere.add(id);
      if (!view.pending.some((sent) => sent.id === id)) show({ pending: [...view.pending, { id, text, attached }] });
    },

    /** Whether this was sent from the page that is shown. */
    wasSentHere: (id) => sentHere.has(id),

    /** What the server is not known to have. */
    onItsWay: () => view.pending.filter((sent) => !accepted.has(sent.id)),

    /** Whether the server is known to have what was sent under this id. */
    has: (id) => accepted.has(id) || waits(id) || !!find(id),

    /** It was sent once more: what the server said to the first time is lost, or was for another page. */
    doubt(id) {
      doubtful.add(id);
    },

    /** The server has it; its message follows as an append. Not so for one that it may have had for long: look again. */
    accept(id, resync = () => {}) {
      accepted.add(id);
      if (!doubtful.delete(id) || !view.pending.some((sent) => sent.id === id)) return;
      show({ pending: view.pending.filter((sent) => sent.id !== id) });
      askOnce(resync);
    },

    /** These wait for their turn and are shown where they wait. Null says that nobody has looked: what was known stays. */
    waits(waiting) {
      if (!waiting || waiting === view.waiting) return;
      const ids = new Set(waiting.map((message) => message.id));
      show({ waiting, pending: view.pending.filter((sent) => !ids.has(sent.id)) });
    },

    /** What became of a message that waited: it "waits", was "asked" or is "gone"; "unknown" while that is not certain. */
    fate(id) {
      if (view.waiting === null || view.tag === null || awaitingSet) return "unknown";
      if (waits(id)) return "waits";
      return find(id) ? "asked" : "gone";
    },

    /** The server would not take it. Returns what was sent, so that the composer can have it back. */
    refuse(id) {
      const sent = view.pending.find((item) => item.id === id);
      if (sent) show({ pending: view.pending.filter((item) => item.id !== id) });
      return sent;
    },

    /** Ask for older messages once, and when those here are whole; returns the id to ask before, or "" for not now. */
    startOlder() {
      if (!view.older || view.loadingOlder || awaitingMore || !view.messages.length) return "";
      show({ loadingOlder: true });
      return view.messages[0].id;
    },

    /** The conversation that was born on the new-chat page got its name. */
    rename(tag) {
      if (tag !== view.tag) show({ tag, born: true });
    },

    /** The person went to another page: nothing of the last one may be seen there. */
    leave() {
      texts.clear();
      sentHere.clear();
      // Patches of the last page may still be on their way; the next page begins with its own `set`.
      awaitingSet = true;
      show({ ...EMPTY_VIEW });
    },

    /** The socket came back: what was asked before it fell may never be answered. */
    forgetRequests() {
      awaitingSet = false;
      awaitingMore = false;
      if (view.loadingOlder) show({ loadingOlder: false });
    },
  };
}
