// The rules of what goes along with a message, of `#`, and of citations, without a browser. Run by test_client.py.
import { describe, expect, mock, test } from "bun:test";
import { citationIn, linkedText, marksOf, newNonce, restoreMarks, withoutLinks } from "../../rxchat/ui/client/citation-marks.js";
import { createSources } from "../../rxchat/ui/client/citation-sources.js";
import { createDrafts } from "../../rxchat/ui/client/drafts.js";
import { createOutbox } from "../../rxchat/ui/client/outbox.js";
import { fitting, fittingPrompts, hashAt, isLooking, slashAt, withoutHash, withPrompt } from "../../rxchat/ui/client/pick-words.js";
import { createStore } from "../../rxchat/ui/client/thread-state.js";

mock.module("../../rxchat/ui/client/backend.js", () => ({ ask: async () => ({}), address: (path) => path }));
mock.module("react", () => ({ useSyncExternalStore: (_, get) => get(), useEffect: () => {}, useLayoutEffect: () => {}, useCallback: (call) => call }));
const { cardOf } = await import("../../rxchat/ui/client/citation-card.js");
const { Attachments, isLeftOut, isSameAttached } = await import("../../rxchat/ui/client/attachments.js");
const { pastedFiles } = await import("../../rxchat/ui/client/page-files.js");

const cite = (text, mark, numbers, more = {}) =>
  numbers.map((number) => ({ at: text.indexOf(mark), length: mark.length, number, verified: true, quote: "", ...more }));

describe("citations in a text", () => {
  const linked = (text, ...citations) => linkedText(text, citations.flat(), "n");

  test("each mark becomes a link for each of its numbers, counted in UTF-16", () => {
    const text = "😀 Thirty [1, 3]. More 【2†a】!";
    expect(linked(text, cite(text, "[1, 3]", [1, 3]), cite(text, "【2†a】", [2]))).toBe("😀 Thirty [1](#cite-n-0)[3](#cite-n-1). More [2](#cite-n-2)!");
  });

  test("what is no mark is left alone: another text, a place behind the end, marks that overlap", () => {
    const text = "It says so [1] here.";
    const citations = [
      { at: 3, length: 4, number: 1 },
      { at: 11, length: 3, number: 1 },
      { at: 12, length: 2, number: 2 },
      { at: 19, length: 9, number: 3 },
    ];
    expect(marksOf(text, citations)).toEqual([{ at: 11, end: 14, indexes: [1] }]);
  });

  test("a mark behind an exclamation mark is no picture", () => {
    const text = "Great![1]";
    expect(linked(text, cite(text, "[1]", [1]))).toBe("Great\\![1](#cite-n-0)");
  });

  test("a mark in a link's words moves behind the link", () => {
    const text = "See [the page [1] here](https://x.example/a) and on [2].";
    expect(linked(text, cite(text, "[1]", [1]), cite(text, "[2]", [2]))).toBe("See [the page  here](https://x.example/a)[1](#cite-n-0) and on [2](#cite-n-1).");
  });

  test("marks in tables and lists stay in their cells", () => {
    const text = "| a | b |\n|---|---|\n| x [1] | y |\n\n- one [1]";
    const last = { ...cite(text, "[1]", [1])[0], at: text.lastIndexOf("[1]") };
    expect(linked(text, cite(text, "[1]", [1]), [last])).toBe("| a | b |\n|---|---|\n| x [1](#cite-n-0) | y |\n\n- one [1](#cite-n-1)");
  });

  test("only links that this page wrote are citations", () => {
    const nonce = newNonce();
    expect(citationIn(`#cite-${nonce}-12`, nonce)).toBe(12);
    for (const href of [`#cite-${nonce}-`, `#cite-${nonce}-1x`, "#cite-n-1", `x#cite-${nonce}-1`, undefined]) expect(citationIn(href, nonce)).toBe(-1);
    expect(newNonce()).not.toBe(nonce);
  });

  test("a mark is put back wherever its link was not read as one", () => {
    expect(withoutLinks("code [1](#cite-n-0)[3](#cite-n-1) [2](#cite-m-0)", "n")).toBe("code [1][3] [2](#cite-m-0)");
    const tree = {
      children: [
        { properties: { href: "#cite-n-0" }, children: [{ value: "1" }] },
        { properties: { href: "http://x/%5B1%5D(#cite-n-1)" }, children: [] },
        { children: [{ value: "[1](#cite-n-2)" }] },
      ],
    };
    restoreMarks(tree, "n");
    expect(tree.children.map((child) => child.properties?.href ?? child.children[0].value)).toEqual(["#cite-n-0", "http://x/[1]", "[1]"]);
  });

  test("an answer that is written again does not keep the citations of the one before", () => {
    const store = createStore();
    const answer = { id: "a", role: "assistant", text: "so [1]", reasoning: "", state: "failed", citations: [{ at: 3 }] };
    store.dispatch({ type: "patch", tag: "c1", patch: { number: 1, change: "set", items: [answer] } });
    store.dispatch({
      type: "patch",
      tag: "c1",
      patch: { number: 2, change: "replace", item: { id: "a", role: "assistant", text: "", reasoning: "", state: "running" } },
    });
    store.dispatch({ type: "patch", tag: "c1", patch: { number: 3, change: "finish", item: { id: "a", state: "done", length: 0, reasoning_length: 0 } } });
    expect(store.state().view.messages[0].citations).toBe(undefined);
  });
});

describe("the source of a citation", () => {
  test("is said by a card, which says so while it is on its way", () => {
    const cited = { at: 3, number: 7, verified: false, reason: "Not verified: so." };
    const answer = { citations: [cited] };
    const said = (found) => Object.values(cardOf(answer, 0, found)).filter(Boolean);
    expect(said()).toEqual(["Source 7", "Not verified: so.", "Loading the source…"]);
    expect(said({ problem: "The server is away." })).toEqual(["Source 7", "Not verified: so.", "The server is away."]);
    const card = { at: 3, number: 7, label: "Source 7", name: "rules.md" };
    expect(said({ data: { cards: [card] } })).toEqual([3, 7, "Source 7", "rules.md"]);
    // The answer was written again.
    for (const cards of [[], [{ ...card, at: 9 }], [{ ...card, number: 1 }]])
      expect(said({ data: { cards } })).toEqual(["Source 7", "Not verified: so.", "This source no longer exists."]);
    const missing = cardOf({ citations: [{ ...cited, is_without_source: true }] }, 0);
    expect(Object.values(missing).filter(Boolean)).toEqual(["Source 7", "Not verified: so."]);
  });

  test("is asked for once, and again when that failed", async () => {
    const answers = [{ problem: "away" }, { data: [1] }];
    let asked = 0;
    const sourcesOf = createSources(async () => answers[asked++]);
    const answer = { citations: [], message: "a" };
    expect((await sourcesOf(answer)).problem).toBe("away");
    const found = await Promise.all([sourcesOf(answer), sourcesOf(answer), sourcesOf({ ...answer })]);
    expect([found.map(({ data }) => data), asked]).toEqual([[[1], [1], [1]], 2]);
  });
});

/** Attachments whose uploads do what the test says. */
function attaching(stored, problem = "") {
  const said = { saved: undefined, erased: [], withdrawn: [], drafts: 0 };
  const transfers = [];
  class Upload {
    constructor(file, options) {
      Object.assign(this, options, { file });
      transfers.push(this);
    }
    async abort() {}
    start() {}
    begin(id) {
      this.onAfterResponse({}, { getHeader: (name) => ({ Location: `/api/uploads/${id}` })[name] ?? null });
    }
  }
  const store = new Attachments({
    conversation: "",
    loadUpload: async () => Upload,
    newId: () => `draft-${++said.drafts}`,
    save: (next) => (said.saved = next),
    erase: async (id) => {
      said.erased.push(id);
      return problem;
    },
    withdraw: (id) => said.withdrawn.push(id),
    stored,
  });
  /** Choose a file; with an id it is stored at once. */
  const upload = async (name, id) => {
    store.add([{ name, size: 1 }]);
    await Promise.resolve();
    await Promise.resolve();
    const made = transfers.at(-1);
    if (id) {
      made.begin(id);
      made.onSuccess();
    }
    return made;
  };
  const keyOf = (name) => store.items.find((item) => item.name === name).key;
  return { store, said, upload, keyOf, names: () => store.items.map((item) => `${item.name} ${item.state}`) };
}

const asSent = (attached) => attached && { ids: attached.ids, draft: attached.draft };

describe("what goes along", () => {
  test("has a draft from its first file on, and brings picked ones by their ids", async () => {
    const { store, said, upload } = attaching();
    expect(store.attached()).toBe(undefined);
    store.pick({ id: "c1", kind: "collection", name: "Rules" });
    store.pick({ id: "c1", kind: "collection", name: "Rules" });
    expect(asSent(store.attached())).toEqual({ ids: ["c1"], draft: "" });
    const transfer = await upload("a.md", "d1");
    await upload("b.md", "d2");
    expect([asSent(store.attached()), transfer.metadata]).toEqual([
      { ids: ["c1"], draft: "draft-1" },
      { filename: "a.md", draft: "draft-1" },
    ]);
    store.clear();
    expect([store.items, said.saved, store.attached(), said.withdrawn]).toEqual([[], undefined, undefined, []]);
    await upload("c.md", "d3");
    expect(said.drafts).toBe(2);
  });

  test("leaves out what failed, and takes it back at the server when the message is sent", async () => {
    const { store, said, upload } = attaching();
    const first = await upload("a.md");
    await upload("b.md", "d2");
    first.begin("d1");
    first.onError({ originalRequest: {}, originalResponse: { getStatus: () => 413, getBody: () => "" } });
    expect(store.items.filter(isLeftOut).map(({ name }) => name)).toEqual(["a.md"]);
    expect(store.attached().chips.map((chip) => chip.id)).toEqual(["d2"]);
    store.clear();
    expect(said.withdrawn).toEqual(["d1"]);
  });

  test("is kept for a page that is loaded again; what was under way is to be chosen again", async () => {
    const first = attaching();
    await first.upload("a.md", "d1");
    (await first.upload("b.md")).begin("d2");
    first.store.pick({ id: "c1", kind: "collection", name: "Rules" });
    const again = attaching(JSON.parse(JSON.stringify(first.said.saved)));
    expect(again.names().sort()).toEqual(["Rules done", "a.md done", "b.md gone"]);
    expect(asSent(again.store.attached())).toEqual({ ids: ["c1"], draft: "draft-1" });
    const transfer = await again.upload("b.md", "d3");
    expect(again.names().sort()).toEqual(["Rules done", "a.md done", "b.md done"]);
    expect([again.said.withdrawn, transfer.metadata.draft]).toEqual([["d2"], "draft-1"]);
  });

  test("a file that is removed is deleted, unless the same is there once more or that fails", async () => {
    const { store, said, upload, keyOf } = attaching();
    await upload("a.md", "d1");
    await upload("b.md", "d1");
    store.remove(keyOf("a.md"));
    expect(said.erased).toEqual([]);
    store.remove(keyOf("b.md"));
    expect([said.erased, store.items]).toEqual([["d1"], []]);
    const other = attaching(undefined, "The server is away.");
    await other.upload("a.md", "d1");
    await other.store.remove(other.keyOf("a.md"));
    expect(other.store.items).toMatchObject([{ name: "a.md", state: "done", error: "The server is away." }]);
  });

  test("comes back with a refused message, beside what was attached since", async () => {
    const { store, upload } = attaching();
    await upload("a.md", "d1");
    const attached = store.attached();
    store.clear();
    store.restore(attached);
    expect(isSameAttached(store.attached(), attached)).toBe(true);
    store.restore(attached);
    expect(store.items.length).toBe(1);
    store.drop(attached);
    await upload("b.md", "d2");
    store.restore(attached);
    // One message has one draft.
    expect(asSent(store.attached())).toEqual({ ids: ["d1"], draft: "draft-2" });
    store.drop(attached);
    expect(store.items.map((item) => item.id)).toEqual(["d2"]);
  });

  test("the same is the same in any order", () => {
    expect(isSameAttached(undefined, { ids: [], draft: "" })).toBe(true);
    expect(isSameAttached({ ids: ["a", "b"], draft: "x" }, { ids: ["b", "a"], draft: "x" })).toBe(true);
    expect(isSameAttached({ ids: ["a"], draft: "x" }, { ids: ["a"], draft: "y" })).toBe(false);
  });

  test("pasted text stays text, and pasted files are files", () => {
    const data = (names, text) => ({ files: names.map((name) => ({ name })), getData: () => text });
    expect(pastedFiles(data([], "words"))).toEqual([]);
    expect(pastedFiles(data(["image.png"], "A table from a text"))).toEqual([]);
    expect(pastedFiles(data(["image.png"], "")).length).toBe(1);
    expect(pastedFiles(data(["a.md", "b.md"], "/home/ada/a.md\n/home/ada/b.md")).length).toBe(2);
    expect(pastedFiles(null)).toEqual([]);
  });
});

describe("what goes along survives as the text does", () => {
  const storage = () => {
    const items = new Map();
    return { getItem: (k) => items.get(k) ?? null, setItem: (k, v) => items.set(k, v), removeItem: (k) => items.delete(k), items };
  };
  const attached = { ids: ["c1"], draft: "x", chips: [{ kind: "file", name: "a.md", id: "d1", state: "done" }] };

  test("in the drafts: while it is written, on its way, and into the new conversation", () => {
    const kept = storage();
    const drafts = createDrafts(kept);
    drafts.attach("a@x", "", { draft: "x", chips: attached.chips });
    expect(drafts.attached("a@x", "").draft).toBe("x");
    drafts.send("a@x", "", "k1", "what is it?", attached);
    drafts.attach("a@x", "", undefined);
    expect([drafts.unsettled("a@x", "").attached, drafts.attached("a@x", "")]).toEqual([attached, undefined]);
    drafts.attach("a@x", "", { draft: "y", chips: [] });
    drafts.move("a@x", "c9");
    expect([drafts.attached("a@x", "c9").draft, drafts.unsettled("a@x", "c9").id]).toEqual(["y", "k1"]);
    drafts.settle("a@x", "c9", "k1");
    drafts.attach("a@x", "c9", undefined);
    expect(kept.items.size).toBe(0);
  });

  test("a message that is sent again brings it again, and one that is refused gives it back", () => {
    const store = createStore();
    store.dispatch({ type: "patch", tag: "c1", patch: { number: 1, change: "set", items: [] } });
    const at = { now: 0 };
    const outbox = createOutbox(store, () => at.now);
    const sent = [];
    outbox.sendWith((...given) => sent.push(given));
    outbox.post("k1", "hi", attached);
    for (at.now of [0, 1000, 10000]) outbox.flush();
    expect(sent).toEqual([
      ["hi", "k1", { ids: ["c1"], draft: "x" }],
      ["hi", "k1", { ids: ["c1"], draft: "x" }],
    ]);
    expect(outbox.refuse("k1").attached).toEqual(attached);
    outbox.post("k2", "ho");
    expect(sent.at(-1)).toEqual(["ho", "k2", {}]);
  });
});

describe("what # looks for", () => {
  test("begins at a word's beginning and ends with the line", () => {
    expect(hashAt("ask #team ru", 12)).toEqual({ at: 4, words: "team ru" });
    expect(hashAt("#", 1)).toEqual({ at: 0, words: "" });
    expect(hashAt("ask #team now", 7)).toEqual({ at: 4, words: "te" });
    for (const [text, caret] of [
      ["# Heading", 9],
      ["C#", 2],
      ["##", 2],
      ["#a\nb", 4],
      ["#a", 0],
      ["", 0],
      [`#${"x".repeat(80)}`, 81],
    ])
      expect(hashAt(text, caret)).toBe(null);
  });

  test("shows what fits while the server looks, and is prose when nothing does", () => {
    const choices = [
      { id: "1", name: "Team rules" },
      { id: "2", name: "Parking" },
    ];
    expect(fitting(choices, "", "team").map(({ id }) => id)).toEqual(["1"]);
    expect(fitting(choices, "x ", "x").length).toBe(2);
    expect(fitting(choices, "", "", (id) => id === "1").map(({ id }) => id)).toEqual(["2"]);
    expect([isLooking({ words: "te" }, []), isLooking({ words: "te st" }, []), isLooking({ words: "te st" }, choices), isLooking(null, choices)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test("leaves the text without it", () => {
    expect(withoutHash("ask #team about", { at: 4, words: "team" })).toEqual({ text: "ask about", caret: 4 });
    expect(withoutHash("#team", { at: 0, words: "team" })).toEqual({ text: "", caret: 0 });
    expect(withoutHash("#team so", { at: 0, words: "team" })).toEqual({ text: "so", caret: 0 });
  });
});

describe("what / looks for", () => {
  test("begins at a line's beginning and ends with the line", () => {
    expect(slashAt("/sum", 4)).toEqual({ at: 0, words: "sum" });
    expect(slashAt("a\n/two words", 12)).toEqual({ at: 2, words: "two words" });
    expect(slashAt("／要約", 3)).toEqual({ at: 0, words: "要約" });
    expect(slashAt("/", 1)).toEqual({ at: 0, words: "" });
    for (const [text, caret] of [
      ["a /sum", 6],
      ["//", 2],
      ["/ sum", 5],
      ["/a\nb", 4],
      ["/a", 0],
      ["", 0],
      [`/${"x".repeat(80)}`, 81],
    ])
      expect(slashAt(text, caret)).toBe(null);
  });

  test("shows what fits by command and title, and offers to create a prompt while nothing is typed", () => {
    const choices = [
      { id: "1", command: "sum", title: "Summarize a text" },
      { id: "2", command: "hello", title: "Greeting" },
      { id: "", command: "", title: "Create a prompt" },
    ];
    const ids = (searched, words) => fittingPrompts(choices, searched, words).map(({ id }) => id);
    expect(ids("", "")).toEqual(["1", "2", ""]);
    expect(ids("", "SUM")).toEqual(["1"]);
    expect(ids("", "greet")).toEqual(["2"]);
    expect(ids("c", "c")).toEqual(["1", "2"]);
  });

  test("gives its place to the text of the prompt, which goes to the caret if it is gone", () => {
    expect(withPrompt("a\n/sum b", { at: 2, words: "sum" }, 9, "Short!")).toEqual({ text: "a\nShort! b", caret: 8 });
    expect(withPrompt("a\nsum b", { at: 2, words: "sum" }, 1, "X")).toEqual({ text: "aX\nsum b", caret: 2 });
    expect(withPrompt("a", null, 1, "X")).toEqual({ text: "aX", caret: 2 });
  });
});
