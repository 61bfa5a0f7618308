// The rules of the thread, the drafts and the words, without a browser. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { createDrafts } from "../../rxchat/ui/client/drafts.js";
import { createOutbox } from "../../rxchat/ui/client/outbox.js";
import { isLeftBehind, sortAside } from "../../rxchat/ui/client/queue-state.js";
import { createStore, fateOf, furtherText, isKnown, olderBefore, onItsWay, placeWindow, textOf } from "../../rxchat/ui/client/thread-state.js";
import { guessedRate, outboundLink, sameSitePath, spokenRate, spokenSeconds, tooLong } from "../../rxchat/ui/client/words.js";
import nextCases from "../support/next_cases.json";

const user = (id, text = "hello", more = {}) => ({ id, role: "user", text, reasoning: "", state: "done", ...more });
const answer = (id, text = "", state = "running") => ({ id, role: "assistant", text, reasoning: "", state });

/** The store as components use it, in the words of the tests. */
function createThread() {
  const store = createStore();
  const does = (type) => (id) => store.dispatch({ type, id });
  return {
    store,
    view: () => store.state().view,
    text: (id) => textOf(store.state(), id),
    patch: (patch, tag, resync, more) => [store.answerWith({ resync, more }), store.dispatch({ type: "patch", patch, tag })],
    packet: (packet) => store.dispatch({ type: "packet", packet }),
    sent: (id, text) => store.dispatch({ type: "sent", id, text }),
    waits: (waiting) => store.dispatch({ type: "waits", waiting }),
    leave: does("leave"),
    accept: does("accept"),
    refuse: does("refuse"),
    fate: (id) => fateOf(store.state(), id),
    has: (id) => isKnown(store.state(), id),
    onItsWay: () => onItsWay(store.state()),
    startOlder: () => {
      const before = olderBefore(store.state());
      if (before) store.dispatch({ type: "older" });
      return before;
    },
  };
}

function opened(items = [], older = false) {
  const asked = { resyncs: 0 };
  const thread = createThread();
  const resync = () => (asked.resyncs += 1);
  const patch = (value) => thread.patch(value, "c1", resync);
  patch({ number: 1, change: "set", items, older });
  return { thread, asked, patch, packet: thread.packet, ids: () => thread.view().messages.map((m) => m.id) };
}

describe("long texts and answers that go on", () => {
  test("the rest of a long text comes in pieces, and a missing one is asked for", () => {
    const { thread, asked, patch } = opened([answer("a", "abc", "done")]);
    patch({ number: 2, change: "extend", pieces: [{ id: "a", kind: "text", offset: 3, text: "def" }] });
    patch({ number: 3, change: "extend", pieces: [{ id: "gone", kind: "text", offset: 3, text: "def" }] });
    expect(thread.view().messages[0].text).toBe("abcdef");
    expect(asked.resyncs).toBe(0);
    patch({ number: 4, change: "extend", pieces: [{ id: "a", kind: "text", offset: 9, text: "x" }] });
    expect(asked.resyncs).toBe(1);
  });

  test("the next piece is fetched when the one before is here, and once", () => {
    const thread = createThread();
    let fetched = 0;
    const take = (value) =>
      thread.patch(
        value,
        "c1",
        () => {},
        () => (fetched += 1),
      );
    take({ number: 1, change: "set", items: [answer("a", "abc", "done")], more: true });
    take({ number: 2, change: "append", items: [user("u")], more: true });
    expect(fetched).toBe(1);
    take({ number: 3, change: "extend", pieces: [{ id: "a", kind: "text", offset: 3, text: "def" }], more: true });
    take({ number: 4, change: "extend", pieces: [{ id: "a", kind: "text", offset: 6, text: "ghi" }] });
    expect(fetched).toBe(2);
    expect(thread.view().messages[0].text).toBe("abcdefghi");
  });

  test("an answer that goes on keeps what is shown until the stream has it", () => {
    const { thread, patch, packet } = opened([answer("a", "so far", "stopped")]);
    patch({ number: 2, change: "replace", item: { ...answer("a"), keeps: true } });
    expect(thread.text("a").text).toBe("so far");
    packet({ message_id: "a", kind: "text", offset: 0, text: "so far and on" });
    expect(thread.text("a").text).toBe("so far and on");
  });

  test("what waits for its turn is no longer on its way", () => {
    const { thread } = opened([answer("a")]);
    thread.sent("q", "next");
    thread.waits([{ id: "other" }]);
    expect(thread.view().pending.length).toBe(1);
    thread.waits([{ id: "q" }]);
    expect(thread.view().pending.length).toBe(0);
  });

  test("nothing older is asked for while pieces of what is here are to come", () => {
    const thread = createThread();
    const take = (value) => thread.patch(value, "c1");
    take({ number: 1, change: "set", items: [answer("a", "abc", "done")], older: true, more: true });
    expect(thread.startOlder()).toBe("");
    take({ number: 2, change: "extend", pieces: [{ id: "a", kind: "text", offset: 3, text: "def" }] });
    expect(thread.startOlder()).toBe("a");
  });
});

describe("window packets", () => {
  test("a piece is put where it belongs, also twice", () => {
    expect(placeWindow("abc", 3, "def")).toBe("abcdef");
    expect(placeWindow("abcdef", 3, "def")).toBe("abcdef");
    expect(placeWindow("abc", 1, "XY")).toBe("aXY");
    expect(placeWindow("abc", 4, "x")).toBe(null);
  });

  test("offsets count UTF-16 units, so an emoji is two", () => {
    expect(placeWindow("a😀", 3, "b")).toBe("a😀b");
  });

  test("text and reasoning grow apart", () => {
    const { thread, packet } = opened([answer("a")]);
    packet({ message_id: "a", kind: "reasoning", offset: 0, text: "hm" });
    packet({ message_id: "a", kind: "text", offset: 0, text: "Yes" });
    packet({ message_id: "a", kind: "text", offset: 2, text: "sir" });
    expect(thread.text("a")).toEqual({ text: "Yesir", reasoning: "hm" });
  });

  test("a gap asks once, however many packets follow, and again only after a set", () => {
    const { asked, packet, patch } = opened([answer("a")]);
    packet({ message_id: "a", kind: "text", offset: 5, text: "x" });
    packet({ message_id: "a", kind: "text", offset: 6, text: "y" });
    expect(asked.resyncs).toBe(1);
    patch({ number: 2, change: "set", items: [answer("a", "12345")] });
    packet({ message_id: "a", kind: "text", offset: 9, text: "z" });
    expect(asked.resyncs).toBe(2);
  });

  test("a packet for a message that is not here yet waits for it, and a stale one is nothing", () => {
    const { thread, asked, packet, patch } = opened([user("u")]);
    packet({ message_id: "gone", kind: "text", offset: 7, text: "x" });
    packet({ message_id: "a", kind: "text", offset: 0, text: "Hel" });
    patch({ number: 2, change: "append", items: [answer("a")] });
    packet({ message_id: "a", kind: "text", offset: 3, text: "lo" });
    expect(thread.text("a").text).toBe("Hello");
    expect(asked.resyncs).toBe(0);
  });

  test("nothing changes a finished answer", () => {
    const { thread, packet } = opened([answer("a", "done text", "done")]);
    packet({ message_id: "a", kind: "text", offset: 0, text: "other" });
    expect(thread.text("a").text).toBe("");
    expect(thread.view().messages[0].text).toBe("done text");
  });
});

describe("patches", () => {
  test("a missed number asks once and nothing is applied until the set", () => {
    const { asked, patch, ids } = opened([user("u1")]);
    patch({ number: 3, change: "append", items: [user("u2")] });
    patch({ number: 4, change: "append", items: [user("u3")] });
    expect(asked.resyncs).toBe(1);
    expect(ids()).toEqual(["u1"]);
    patch({ number: 5, change: "set", items: [user("u1"), user("u2"), user("u3")] });
    patch({ number: 6, change: "append", items: [user("u4")] });
    expect(ids()).toEqual(["u1", "u2", "u3", "u4"]);
    expect(asked.resyncs).toBe(1);
  });

  test("what is left over from the page before is passed over", () => {
    const thread = createThread();
    let resyncs = 0;
    thread.patch({ number: 9, change: "append", items: [user("old")] }, "c0", () => (resyncs += 1));
    thread.patch({ number: 1, change: "set", items: [user("u")] }, "c1");
    expect([resyncs, thread.view().messages.length, thread.view().tag]).toEqual([0, 1, "c1"]);
  });

  test("prepend puts older messages first and says whether there are more", () => {
    const { thread, patch, ids } = opened([user("u3")], true);
    expect(thread.startOlder()).toBe("u3");
    expect(thread.startOlder()).toBe("");
    patch({ number: 2, change: "prepend", items: [user("u1"), user("u2"), user("u3")], older: false });
    expect(ids()).toEqual(["u1", "u2", "u3"]);
    expect(thread.startOlder()).toBe("");
  });

  test("finish seals the text that was streamed", () => {
    const { thread, asked, packet, patch } = opened([answer("a")]);
    packet({ message_id: "a", kind: "text", offset: 0, text: "Hello" });
    patch({ number: 2, change: "finish", item: { id: "a", role: "assistant", state: "done", tokens: 1, length: 5, reasoning_length: 0 } });
    expect(thread.view().messages[0]).toMatchObject({ text: "Hello", state: "done", tokens: 1 });
    expect(asked.resyncs).toBe(0);
  });

  test("finish with another length asks for the whole", () => {
    const { asked, packet, patch } = opened([answer("a")]);
    packet({ message_id: "a", kind: "text", offset: 0, text: "Hel" });
    patch({ number: 2, change: "finish", item: { id: "a", state: "done", length: 5, reasoning_length: 0 } });
    expect(asked.resyncs).toBe(1);
  });

  test("a set keeps the text that is ahead and drops the buffers of others", () => {
    const { thread, packet, patch } = opened([answer("a"), answer("b")]);
    packet({ message_id: "a", kind: "text", offset: 0, text: "Hello there" });
    packet({ message_id: "b", kind: "text", offset: 0, text: "x" });
    patch({ number: 2, change: "set", items: [answer("a", "Hello")] });
    expect(thread.text("a").text).toBe("Hello there");
    expect(thread.text("b").text).toBe("");
    expect(furtherText("abc", "xyz12")).toBe("xyz12");
    expect(furtherText("abcdef", "xyz")).toBe("xyz");
  });

  test("replace changes one message, back to running too", () => {
    const { thread, patch } = opened([answer("a", "bad", "failed")]);
    patch({ number: 2, change: "replace", item: answer("a", "") });
    expect(thread.view().messages[0].state).toBe("running");
  });

  test("the same patch twice is one", () => {
    const { asked, patch, ids } = opened();
    const append = { number: 2, change: "append", items: [user("u")] };
    patch(append);
    patch(append);
    expect([ids().length, asked.resyncs]).toEqual([1, 0]);
  });
});

describe("what was just sent", () => {
  test("is shown at once and becomes the server's message", () => {
    const { thread, patch } = opened();
    thread.sent("k1", "hi");
    expect(thread.view().pending).toEqual([{ id: "k1", text: "hi" }]);
    patch({ number: 2, change: "append", items: [user("u", "hi", { client_id: "k1" })] });
    expect(thread.view().pending).toEqual([]);
  });

  test("a refusal gives it back", () => {
    const { thread } = opened();
    thread.sent("k1", "hi");
    const outbox = createOutbox(thread.store);
    expect(outbox.refuse("k1")).toEqual({ id: "k1", text: "hi" });
    expect(thread.view().pending).toEqual([]);
    expect(outbox.refuse("k1")).toBe(undefined);
  });

  test("a set drops it when it was accepted and keeps it when it was not", () => {
    const { thread, patch } = opened();
    thread.sent("k1", "one");
    thread.sent("k2", "two");
    thread.accept("k1");
    patch({ number: 2, change: "set", items: [user("u", "one")] });
    expect(thread.view().pending.map((sent) => sent.id)).toEqual(["k2"]);
  });

  test("after leaving, only a set is believed", () => {
    const { thread, patch, asked, ids } = opened([user("u")]);
    thread.leave();
    patch({ number: 2, change: "append", items: [user("old")] });
    expect([ids().length, asked.resyncs, thread.view().tag]).toEqual([0, 0, null]);
    patch({ number: 3, change: "set", items: [user("new")] });
    expect(ids()).toEqual(["new"]);
  });
});

describe("what is on its way", () => {
  const sentOnce = () => {
    const at = { now: 0 };
    const found = opened();
    const outbox = createOutbox(found.thread.store, () => at.now);
    const sent = [];
    outbox.sendWith((text, id) => sent.push([id, text]));
    outbox.post("k1", "hi");
    return { ...found, at, outbox, sent, flush: outbox.flush };
  };

  test("goes as soon as the page is where it belongs, and not before", () => {
    const { outbox, sent, thread } = sentOnce();
    expect(sent).toEqual([["k1", "hi"]]);
    outbox.sendWith(null);
    outbox.post("k2", "ho");
    expect([sent.length, thread.view().pending.length]).toEqual([1, 2]);
    outbox.sendWith((text, id) => sent.push([id, text]));
    expect(sent.at(-1)).toEqual(["k2", "ho"]);
  });

  test("has arrived when a message has its id, however it is shown", () => {
    for (const show of [
      ({ patch }) => patch({ number: 2, change: "set", items: [user("k1", "hi")] }),
      ({ patch }) => patch({ number: 2, change: "append", items: [user("k1", "hi"), answer("a")] }),
      ({ patch }) => patch({ number: 2, change: "prepend", items: [user("k1", "hi")] }),
      ({ patch }) => patch({ number: 2, change: "replace", item: user("k1", "hi") }),
      ({ thread }) => thread.waits([{ id: "k1" }]),
    ]) {
      const page = sentOnce();
      show(page);
      expect(page.thread.onItsWay()).toEqual([]);
      expect(page.thread.view().pending).toEqual([]);
    }
  });

  test("is sent again after ten seconds without an answer, every ten seconds, and not once it is accepted", () => {
    const { thread, at, sent, flush } = sentOnce();
    for (at.now = 1000; at.now <= 25000; at.now += 1000) flush();
    expect(sent).toEqual([
      ["k1", "hi"],
      ["k1", "hi"],
      ["k1", "hi"],
    ]);
    thread.accept("k1");
    at.now = 99000;
    flush();
    expect(sent.length).toBe(3);
  });

  test("is sent again at once when the page has begun anew without it, and waits for that while the line is gone", () => {
    const { patch, outbox, sent, flush } = sentOnce();
    outbox.hold();
    flush();
    expect(sent.length).toBe(1);
    outbox.beginAgain();
    patch({ number: 1, change: "set", items: [] });
    flush();
    expect(sent.length).toBe(2);
  });

  test("a refusal ends it, and the same id goes at once when it is sent again", () => {
    const { outbox, sent, flush } = sentOnce();
    outbox.refuse("k1");
    flush();
    expect(sent.length).toBe(1);
    outbox.post("k1", "hi");
    expect(sent.length).toBe(2);
  });

  test("that may have been stored for long is looked for when it is accepted: no append need follow", () => {
    const { thread, asked, patch, at, flush } = sentOnce();
    at.now = 10000;
    flush();
    thread.accept("k1");
    expect([thread.view().pending, asked.resyncs]).toEqual([[], 1]);
    thread.sent("k2", "ho");
    patch({ number: 2, change: "set", items: [user("u")] });
    thread.accept("k2");
    expect(asked.resyncs).toBe(2);
    expect([thread.view().pending, thread.has("k2"), thread.has("k3")]).toEqual([[], true, false]);
  });

  test("what was accepted is shown until its message is there, and holds nobody up", () => {
    const { thread, patch } = sentOnce();
    thread.accept("k1");
    expect([thread.view().pending.length, thread.onItsWay()]).toEqual([1, []]);
    patch({ number: 2, change: "append", items: [user("k1", "hi")] });
    expect(thread.view().pending).toEqual([]);
  });
});

describe("what waits", () => {
  test("stays as it is until somebody has looked again, and is nothing on another page", () => {
    const { thread } = opened();
    const list = [{ id: "w", text: "later" }];
    thread.waits(list);
    thread.waits(null);
    expect(thread.view().waiting).toEqual(list);
    thread.leave();
    expect(thread.view().waiting).toBe(null);
  });

  test("is asked or gone when it has left the list, and that is not known while patches are missing", () => {
    const { thread, patch } = opened();
    expect(thread.fate("w")).toBe("unknown");
    thread.waits([{ id: "w" }]);
    expect(thread.fate("w")).toBe("waits");
    patch({ number: 5, change: "append", items: [user("w")] });
    thread.waits([]);
    expect(thread.fate("w")).toBe("unknown");
    patch({ number: 6, change: "set", items: [user("w")] });
    expect([thread.fate("w"), thread.fate("other")]).toEqual(["asked", "gone"]);
    thread.leave();
    expect(thread.fate("w")).toBe("unknown");
  });

  test("texts that were put aside are offered when their messages are gone, and dropped when they were asked", () => {
    const fates = { a: "asked", g: "gone", w: "waits", u: "unknown" };
    const aside = { a: "asked", g: "mine again", w: "not yet", u: "who knows" };
    expect(sortAside(aside, (id) => fates[id])).toEqual({ offered: ["mine again"], dropped: ["a", "g"] });
  });

  test("half-edited text is left behind only when its message has left", () => {
    const edit = { id: "w", text: "half" };
    expect(["unknown", "waits", "asked", "gone"].map((fate) => isLeftBehind(edit, () => fate))).toEqual([false, false, true, true]);
    expect(isLeftBehind(null, () => "gone")).toBe(false);
  });
});

describe("drafts", () => {
  const storage = () => {
    const items = new Map();
    return { getItem: (k) => items.get(k) ?? null, setItem: (k, v) => items.set(k, v), removeItem: (k) => items.delete(k), items };
  };

  test("are kept for each viewer and conversation", () => {
    const drafts = createDrafts(storage());
    drafts.type("a@x", "c1", "one");
    drafts.type("a@x", "", "two");
    expect([drafts.load("a@x", "c1"), drafts.load("a@x", ""), drafts.load("b@x", "c1")]).toEqual(["one", "two", ""]);
  });

  test("what another device has saved is taken only if nothing was typed here since", () => {
    const drafts = createDrafts(storage());
    expect(drafts.isUnsaved("a@x", "c1")).toBe(false);
    drafts.type("a@x", "c1", "one");
    expect(drafts.isUnsaved("a@x", "c1")).toBe(true);
    drafts.markSaved("a@x", "c1", "one");
    expect(drafts.isUnsaved("a@x", "c1")).toBe(false);
    drafts.receive("a@x", "c1", "two");
    expect([drafts.load("a@x", "c1"), drafts.isUnsaved("a@x", "c1")]).toEqual(["two", false]);
    // What is sent is no draft any more, which the server does not know yet.
    drafts.send("a@x", "c1", "k1", "two");
    expect([drafts.load("a@x", "c1"), drafts.isUnsaved("a@x", "c1")]).toEqual(["", true]);
  });

  test("a send is kept apart from what was typed since, until it is known to have arrived", () => {
    const drafts = createDrafts(storage());
    drafts.send("a@x", "", "k1", "sent");
    drafts.type("a@x", "", "more");
    expect([drafts.load("a@x", ""), drafts.unsettled("a@x", "")]).toEqual(["more", { id: "k1", text: "sent" }]);
    drafts.settleKnown("a@x", "c9", (id) => id === "k0");
    expect(drafts.unsettled("a@x", "").id).toBe("k1");
    drafts.settleKnown("a@x", "c9", (id) => id === "k1");
    drafts.send("a@x", "c9", "k2", "sent too");
    drafts.settle("a@x", "c9", "k2");
    expect([drafts.unsettled("a@x", ""), drafts.unsettled("a@x", "c9"), drafts.load("a@x", "")]).toEqual([undefined, undefined, "more"]);
  });

  test("keep the texts of messages that are taken back, whatever is typed and sent meanwhile", () => {
    const kept = storage();
    const drafts = createDrafts(kept);
    drafts.putAside("a@x", "c1", "w1", "one");
    drafts.putAside("a@x", "c1", "w2", "two");
    drafts.type("a@x", "c1", "more");
    drafts.send("a@x", "c1", "k1", "more");
    drafts.settle("a@x", "c1", "k1");
    expect(drafts.aside("a@x", "c1")).toEqual({ w1: "one", w2: "two" });
    drafts.dropAside("a@x", "c1", "w1");
    drafts.dropAside("a@x", "c1", "w2");
    expect([drafts.aside("a@x", "c1"), kept.items.size]).toEqual([{}, 0]);
  });

  test("move along when the new chat gets its address", () => {
    const kept = storage();
    const drafts = createDrafts(kept);
    drafts.type("a@x", "", "next question");
    drafts.move("a@x", "c1");
    expect([drafts.load("a@x", ""), drafts.load("a@x", "c1")]).toEqual(["", "next question"]);
    drafts.type("a@x", "c1", "");
    expect(kept.items.size).toBe(0);
  });

  test("who leaves this browser leaves no drafts in it", () => {
    const items = new Map([["rxchat:theme", "dark"]]);
    const kept = {
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => items.set(key, value),
      removeItem: (key) => items.delete(key),
      key: (at) => [...items.keys()][at],
      get length() {
        return items.size;
      },
    };
    const drafts = createDrafts(kept);
    for (const conversation of ["", "c1", "c2"]) drafts.type("a@x", conversation, "secret");
    drafts.clear();
    expect([...items.keys()]).toEqual(["rxchat:theme"]);
  });

  test("broken or full storage loses nothing else", () => {
    const drafts = createDrafts({
      getItem: () => "{",
      setItem: () => {
        throw new Error("full");
      },
      removeItem: () => {},
    });
    drafts.type("a", "c", "text");
    expect(drafts.load("a", "c")).toBe("");
  });
});

describe("words", () => {
  test("next leads only to this site", () => {
    for (const bad of ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "", null, "c/1", "/a\\b"]) {
      expect(sameSitePath(bad)).toBe("/");
    }
    expect(sameSitePath("/c/abc?x=1#y")).toBe("/c/abc?x=1#y");
  });

  test("next leads only to pages, as the server decides, too", () => {
    expect(nextCases.pages.map(sameSitePath)).toEqual(nextCases.pages);
    expect(nextCases.others.filter((other) => sameSitePath(other) !== "/")).toEqual([]);
  });

  test("next leads only to this site, whatever it is made of", () => {
    const parts = [
      "/",
      "/",
      "//",
      "\\",
      ".",
      "..",
      "%2e",
      "%2E%2e",
      "%2f",
      "%5c",
      "@",
      ":",
      "?",
      "#",
      ";",
      "\t",
      "\n",
      " ",
      "\u3002",
      "\uff0f",
      "evil.example",
      "c",
      "https:",
      "javascript:",
    ];
    const here = "https://chat.example.org";
    let seed = 7;
    const random = (below) => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    const strings = ["/.//evil.example", "/..//evil.example", "/%2e//evil.example", "/c/..//evil.example", "/a/%2E%2e//evil.example", "/./\\evil.example"];
    for (let i = 0; i < 20000; i += 1) strings.push(`/${Array.from({ length: random(8) }, () => parts[random(parts.length)]).join("")}`);
    for (const string of strings) {
      const once = sameSitePath(string);
      expect([string, new URL(once, here).origin]).toEqual([string, here]);
      expect([string, new URL(new URL(once, here).pathname, here).origin]).toEqual([string, here]);
      expect(sameSitePath(once)).toBe(once);
    }
  });

  test("links out are absolute http, https or mail", () => {
    for (const bad of [
      "javascript:alert(1)",
      "data:text/html,x",
      "/api/auth/sign-out",
      "vbscript:x",
      "java\nscript:alert(1)",
      undefined,
      "file:///etc/passwd",
    ]) {
      expect(outboundLink(bad)).toBe("");
    }
    expect(outboundLink("https://example.org/a")).toBe("https://example.org/a");
    expect(outboundLink("mailto:a@example.org")).toBe("mailto:a@example.org");
  });

  test("times, rates and counts are for people", () => {
    expect([spokenSeconds(0.84), spokenSeconds(12.6), spokenSeconds(125)]).toEqual(["0.8 s", "12 s", "2 min 5 s"]);
    expect([spokenRate(3.14), spokenRate(41.2), spokenRate(0)]).toEqual(["3.1 tokens/s", "41 tokens/s", ""]);
    expect([guessedRate(400, 10), guessedRate(400, 0.1)]).toEqual([10, 0]);
    expect(tooLong("x".repeat(100000))).toBe("");
    expect(tooLong(`${"😀".repeat(100000)}\n`)).toBe("");
    expect(tooLong("x".repeat(100001))).toBe("This message has 100,001 characters; the maximum is 100,000. Shorten it or send it in parts.");
  });
});
