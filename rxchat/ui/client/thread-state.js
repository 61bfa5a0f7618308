// The rules of the thread, pure: a text that grows 28 times a second is put together in the browser, not in the server's state.

export const EMPTY_TEXT = Object.freeze({ text: "", reasoning: "" });

/** @type {Readonly<Record<string, any>>} */
const EMPTY_VIEW = Object.freeze({ tag: null, messages: [], older: false, loadingOlder: false, pending: [], waiting: null, born: false });

/** What the page knows of its one conversation. `resyncs` and `mores` count what it has asked the server for. */
export const EMPTY_THREAD = Object.freeze({
  view: EMPTY_VIEW,
  /** The texts of running messages, by message. */
  texts: {},
  lastPatch: null,
  lastPacket: null,
  awaitsSet: false,
  awaitsMore: false,
  resyncs: 0,
  mores: 0,
  accepted: [],
  /**
   * The messages that this page has sent; after a reload the server also confirms those of the page before.
   * @type {string[]}
   */
  sentHere: [],
  /** Of these it is not known whether the server has had them for long: no append need follow. */
  doubtful: [],
});

/** Which of two versions of a running text is ahead; a text that was rewritten wins over what was kept. */
export function furtherText(kept, given) {
  if (!kept) return given;
  return kept.length > given.length && kept.startsWith(given) ? kept : given;
}

/** Put a window packet's piece into a buffer. Null says that something before it is missing. */
export function placeWindow(buffer, offset, piece) {
  return offset > buffer.length ? null : buffer.slice(0, offset) + piece;
}

const find = (state, id) => state.view.messages.find((message) => message.id === id);
const waits = (state, id) => !!state.view.waiting?.some((message) => message.id === id);
const isPending = (state, id) => state.view.pending.some((sent) => sent.id === id);
const having = (ids, id) => (ids.includes(id) ? ids : [...ids, id]);

export const textOf = (state, id) => state.texts[id] ?? EMPTY_TEXT;
/** What the server is not known to have. */
export const onItsWay = ({ view, accepted }) => view.pending.filter((sent) => !accepted.includes(sent.id));
/** Whether the server is known to have what was sent under this id. */
export const isKnown = (state, id) => state.accepted.includes(id) || waits(state, id) || !!find(state, id);
/** The id to ask for older messages before, when those here are whole; "" for not now. */
export const olderBefore = ({ view, awaitsMore }) => (view.older && !view.loadingOlder && !awaitsMore && view.messages[0]?.id) || "";

/** What became of a message that waited: it "waits", was "asked" or is "gone"; "unknown" while that is not certain. */
export function fateOf(state, id) {
  if (state.view.waiting === null || state.view.tag === null || state.awaitsSet) return "unknown";
  if (waits(state, id)) return "waits";
  return find(state, id) ? "asked" : "gone";
}

const show = (state, changes) => ({ ...state, view: { ...state.view, ...changes } });
const askAgain = (state) => (state.awaitsSet ? state : { ...state, awaitsSet: true, resyncs: state.resyncs + 1 });

/** A message has the id that the browser gave it, wherever it comes from. */
function without(pending, items) {
  const delivered = new Set(items.map((item) => item.client_id ?? item.id));
  const left = pending.filter((sent) => !delivered.has(sent.id));
  return left.length === pending.length ? pending : left;
}

/** A running message shows its buffer, so what came with the patch goes there; all others keep their own text. */
function adopt(state, items) {
  const texts = { ...state.texts };
  for (const { id, state: is, text, reasoning } of items) {
    const kept = texts[id] ?? EMPTY_TEXT;
    if (is === "running") texts[id] = { text: furtherText(kept.text, text ?? ""), reasoning: furtherText(kept.reasoning, reasoning ?? "") };
    else delete texts[id];
  }
  return show({ ...state, texts }, { pending: without(state.view.pending, items) });
}

const exchange = (state, item) => show(state, { messages: state.view.messages.map((message) => (message.id === item.id ? item : message)) });

const changes = {
  set(before, { items, older }, tag) {
    const kept = new Set(items.map((item) => item.id));
    const texts = Object.fromEntries(Object.entries(before.texts).filter(([id]) => kept.has(id)));
    const state = adopt({ ...before, texts, awaitsSet: false }, items);
    const pending = onItsWay(state).filter((sent) => !waits(state, sent.id));
    const doubtful = pending.reduce((ids, sent) => having(ids, sent.id), state.doubtful);
    return show({ ...state, doubtful }, { tag, messages: items, older: !!older, loadingOlder: false, pending });
  },
  append(state, { items }) {
    const fresh = items.filter((item) => !find(state, item.id));
    return show(adopt(state, fresh), { messages: [...state.view.messages, ...fresh], pending: without(state.view.pending, items) });
  },
  prepend(state, { items, older, before }) {
    // Another branch may be shown since they were asked for.
    if (before && before !== state.view.messages[0]?.id) return show(state, { loadingOlder: false });
    const fresh = items.filter((item) => !find(state, item.id));
    const messages = [...fresh, ...state.view.messages];
    return show(adopt(state, fresh), { messages, older: !!older, loadingOlder: false, pending: without(state.view.pending, items) });
  },
  finish(state, { item }) {
    const buffer = textOf(state, item.id);
    const isWhole = buffer.text.length === item.length && buffer.reasoning.length === (item.reasoning_length ?? 0);
    const before = find(state, item.id);
    if (!before || (before.state === "running" && !isWhole)) return askAgain(state);
    return before.state === "running" ? changes.replace(state, { item: { ...before, ...item, ...buffer } }) : state;
  },
  rate(state, { id, feedback }) {
    const message = find(state, id);
    return message ? exchange(state, { ...message, feedback }) : state;
  },
  extend: (before, { pieces }) =>
    pieces.reduce((state, { id, kind, offset, text }) => {
      const message = find(state, id);
      if (!message) return state;
      const whole = placeWindow(message[kind] ?? "", offset, text);
      return whole === null ? askAgain(state) : exchange(state, { ...message, [kind]: whole });
    }, before),
  /** What follows a message is replaced by another branch; by all of it, if the message is not here. */
  branch(state, { after, items, older }) {
    const kept = state.view.messages.slice(0, state.view.messages.findIndex((message) => message.id === after) + 1);
    if (!kept.length && !items.length && older) return askAgain(state);
    return show(adopt(state, items), { messages: [...kept, ...items], older: kept.length ? state.view.older : !!older });
  },
  replace(state, { item }) {
    const before = item.keeps && find(state, item.id);
    // A continued answer begins with the text that is here, until the stream brings the rest.
    const shown = before && { [item.id]: { text: before.text ?? "", reasoning: before.reasoning ?? "" } };
    return exchange(adopt({ ...state, texts: { ...shown, ...state.texts } }, [item]), item);
  },
};

const events = {
  /** A change from the server; `tag` is the conversation that the server says it shows. */
  patch(before, { patch, tag }) {
    if (!patch?.change || patch === before.lastPatch) return before;
    let state = { ...before, lastPatch: patch };
    if (patch.change === "set" || patch.change === "extend") state.awaitsMore = false;
    // The next piece of a long text is fetched when this one is here: two that come together would be drawn as one.
    if (patch.more && !state.awaitsMore) state = { ...state, awaitsMore: true, mores: state.mores + 1 };
    if (patch.change === "set") return changes.set(state, patch, tag);
    // After a load the last patch of the page before may come first; the `set` of this one is on its way.
    if (!before.lastPatch) return state;
    if (patch.number !== before.lastPatch.number + 1 || state.awaitsSet) return askAgain(state);
    return changes[patch.change]?.(state, patch) ?? state;
  },

  /** The newest piece of a running answer. */
  packet(before, { packet }) {
    if (!packet?.message_id || packet === before.lastPacket) return before;
    const state = { ...before, lastPacket: packet };
    const { message_id: id, kind, offset, text } = packet;
    const message = find(state, id);
    if (message && message.state !== "running") return state;
    const buffer = textOf(state, id);
    const whole = placeWindow(buffer[kind], offset, text);
    if (whole === null) return message ? askAgain(state) : state;
    return { ...state, texts: { ...state.texts, [id]: { ...buffer, [kind]: whole } } };
  },

  /** The user sent this, and the server does not have it yet; `attached` goes along. */
  sent(before, { id, text, attached }) {
    const state = { ...before, sentHere: having(before.sentHere, id) };
    return isPending(state, id) ? state : show(state, { pending: [...state.view.pending, { id, text, attached }] });
  },

  /** It was sent once more: what the server said to the first time is lost, or was for another page. */
  doubt: (state, { id }) => ({ ...state, doubtful: having(state.doubtful, id) }),

  /** The server has it; its message follows as an append. Not so for one that it may have had for long: look again. */
  accept(before, { id }) {
    const state = { ...before, accepted: having(before.accepted, id), doubtful: before.doubtful.filter((other) => other !== id) };
    if (!before.doubtful.includes(id) || !isPending(state, id)) return state;
    return askAgain(events.refuse(state, { id }));
  },

  /** The server would not take it. */
  refuse: (state, { id }) => show(state, { pending: state.view.pending.filter((sent) => sent.id !== id) }),

  /** These wait for their turn and are shown where they wait. Null says that they were not looked for: what was known stays. */
  waits(state, { waiting }) {
    if (!waiting || waiting === state.view.waiting) return state;
    return show(state, { waiting, pending: state.view.pending.filter((sent) => !waiting.some((message) => message.id === sent.id)) });
  },

  /** Older messages were asked for. */
  older: (state) => show(state, { loadingOlder: true }),

  /** The conversation that was born on the new-chat page got its name. */
  rename: (state, { tag }) => (tag === state.view.tag ? state : show(state, { tag, born: true })),

  /** The user went to another page. Patches of the last one may still be on their way; the next begins with its own `set`. */
  leave: (state) => ({ ...state, texts: {}, sentHere: [], awaitsSet: true, view: EMPTY_VIEW }),

  /** The socket came back: what was asked before it fell may never be answered. */
  reconnect: (state) => show({ ...state, awaitsSet: false, awaitsMore: false }, { loadingOlder: false }),
};

/** The thread after an event {type, ...}. */
export const reduce = (state, event) => events[event.type](state, event);

/** The one store of a page. `changed` is called after each change; `requests` {resync, more} reach the server. */
export function createStore(changed = () => {}) {
  let state = EMPTY_THREAD;
  /** @type {{ resync?: () => void, more?: () => void }} */
  let requests = {};
  return {
    state: () => state,
    answerWith(given) {
      requests = given;
    },
    dispatch(event) {
      const before = state;
      state = reduce(before, event);
      if (state !== before) changed();
      if (state.resyncs > before.resyncs) requests.resync?.();
      if (state.mores > before.mores) requests.more?.();
    },
  };
}
