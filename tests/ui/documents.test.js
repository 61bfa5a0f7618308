// Uploads without a network, words about documents, and passages found again. Run by test_documents_client.py.
import { describe, expect, test } from "bun:test";
import { createUploads, isFinal, overallProgress, refusalIn, spokenSize, spokenUploads } from "../../rxchat/ui/client/uploads.js";
import { passageIn, viewerAddress } from "../../rxchat/ui/client/viewer-address.js";
import { passageRanges } from "../../rxchat/ui/client/viewer-passage.js";

const later = () => new Promise((done) => setTimeout(done, 0));
const named = (...names) => names.map((name) => new File(["words"], name));

/** Uploads whose transfers do what the test says. */
function withTransfers(more = {}) {
  const transfers = [];
  const transfer = async (file, metadata, tell) => {
    const made = { file, metadata, tell, calls: [] };
    transfers.push(made);
    return Object.fromEntries(["go", "stop", "giveUp"].map((name) => [name, () => made.calls.push(name)]));
  };
  const uploads = createUploads({ metadata: { collection: "c" }, transfer, again: 100_000, ...more });
  return { uploads, transfers, states: () => uploads.list.map((item) => item.state), of: (name) => uploads.list.find((item) => item.name === name) };
}

describe("uploads", () => {
  test("three go at a time, and the next when one is done", async () => {
    const { uploads, transfers, states } = withTransfers();
    uploads.add(named("a", "b", "c", "d"));
    await later();
    expect(states()).toEqual(["uploading", "uploading", "uploading", "queued"]);
    expect(transfers[0].metadata).toEqual({ collection: "c" });
    transfers[0].tell.done("d1");
    await later();
    expect(states()).toEqual(["done", "uploading", "uploading", "uploading"]);
    expect(uploads.list[0]).toMatchObject({ progress: 1, documentId: "d1" });
    expect(transfers[3].calls).toEqual(["go"]);
    uploads.clearDone();
    expect(uploads.list.map(({ name }) => name)).toEqual(["b", "c", "d"]);
    uploads.dispose();
  });

  test("one that is paused lets another go, and what it still tells does not count", async () => {
    const { uploads, transfers, of } = withTransfers({ atOnce: 1 });
    uploads.add(named("a", "b"));
    await later();
    transfers[0].tell.progress(0.5);
    uploads.pause(of("a").key);
    await later();
    expect([of("a").state, of("b").state]).toEqual(["paused", "uploading"]);
    transfers[0].tell.progress(0.9);
    transfers[0].tell.lost();
    expect(of("a")).toMatchObject({ state: "paused", progress: 0.5 });
    uploads.resume(of("a").key);
    expect(of("a").state).toBe("queued");
    transfers[1].tell.done("d2");
    await later();
    expect(transfers[0].calls).toEqual(["go", "stop", "go"]);
    uploads.dispose();
  });

  test("a refusal is final and can be tried again anew", async () => {
    const { uploads, transfers, of } = withTransfers();
    uploads.add(named("a"));
    await later();
    transfers[0].tell.failed("“a” is empty.");
    expect(of("a")).toMatchObject({ state: "failed", error: "“a” is empty." });
    transfers[0].tell.done("no");
    expect(of("a").state).toBe("failed");
    uploads.retry(of("a").key);
    await later();
    expect(of("a")).toMatchObject({ state: "uploading", error: "" });
    expect(transfers).toHaveLength(2);
    uploads.dispose();
  });

  test("what was lost goes on when there is a line again", async () => {
    const { uploads, transfers, of } = withTransfers();
    uploads.add(named("a"));
    await later();
    transfers[0].tell.progress(0.3);
    transfers[0].tell.lost();
    await later();
    expect(of("a")).toMatchObject({ state: "lost", progress: 0.3 });
    uploads.goOn();
    expect(transfers[0].calls).toEqual(["go", "go"]);
    transfers[0].tell.progress(0.6);
    expect(of("a").state).toBe("uploading");
    uploads.dispose();
  });

  test("a file that cannot be read any more is not tried for ever", async () => {
    const { uploads, transfers, of } = withTransfers();
    const gone = { name: "gone", size: 3, slice: () => ({ arrayBuffer: () => Promise.reject(new Error("NotFoundError")) }) };
    uploads.add([gone]);
    await later();
    transfers[0].tell.lost();
    await later();
    expect(of("gone").state).toBe("failed");
    expect(of("gone").error).toContain("cannot be read");
    uploads.dispose();
  });

  test("one that is given up is taken back at the server, one that has ended is not", async () => {
    const { uploads, transfers } = withTransfers();
    uploads.add(named("a", "b"));
    await later();
    transfers[0].tell.done("d");
    for (const { key } of uploads.list) uploads.cancel(key);
    expect([transfers[0].calls, transfers[1].calls]).toEqual([["go"], ["go", "giveUp"]]);
    expect(uploads.list).toEqual([]);
    uploads.dispose();
  });

  test("a module that cannot be loaded just now is asked for again", async () => {
    let isAway = true;
    const { uploads, of } = withTransfers({
      transfer: async () => {
        if (isAway) throw new TypeError("Failed to fetch dynamically imported module");
        return { go: () => {}, stop: () => {}, giveUp: () => {} };
      },
    });
    uploads.add(named("a"));
    await later();
    expect(of("a").state).toBe("lost");
    isAway = false;
    uploads.goOn();
    await later();
    expect(of("a").state).toBe("uploading");
    uploads.dispose();
  });

  test("listeners hear of each change, with a new list", async () => {
    const { uploads } = withTransfers();
    const seen = [];
    const stop = uploads.subscribe(() => seen.push(uploads.snapshot()));
    uploads.add(named("a"));
    await later();
    expect(seen.length).toBeGreaterThan(1);
    expect(new Set(seen).size).toBe(seen.length);
    stop();
    uploads.dispose();
  });

  test("which answers are final, and what they say", () => {
    expect([400, 401, 403, 404, 413, 422, 507].every(isFinal)).toBe(true);
    expect([0, 409, 423, 429, 500, 502, 503].some(isFinal)).toBe(false);
    expect(refusalIn('{"error": {"message": "No."}}', 422)).toBe("No.");
    expect(refusalIn("<html>", 413)).toContain("413");
  });

  test("a sum of many, none of one", () => {
    const items = [
      { state: "done", size: 3, progress: 1 },
      { state: "uploading", size: 1, progress: 0 },
      { state: "failed", size: 9, progress: 0 },
    ];
    expect(spokenUploads(items)).toBe("1 of 3 uploaded, 1 failed");
    expect(spokenUploads(items.slice(0, 1))).toBe("");
    expect(overallProgress(items)).toBe(0.75);
  });
});

describe("words about documents", () => {
  test("sizes", () => {
    expect([1, 999_999, 1_500_000, 2e9].map(spokenSize)).toEqual(["1 kB", "1000 kB", "1.5 MB", "2.0 GB"]);
  });
});

describe("passages", () => {
  test("a passage is found in broken lines, across hyphens and ligatures", () => {
    const pieces = ["Other words.", "The keeper writes the wea-", "", "ther, of\uFB01cially, into", "the log. More."];
    const ranges = passageRanges(pieces, "The keeper  writes the weather, officially, into the log.");
    expect(ranges.map(({ item, from, to }) => pieces[item].slice(from, to))).toEqual(["The keeper writes the wea-", "ther, of\uFB01cially, into", "the log."]);
  });

  test("of a passage that goes on elsewhere, what is here is found", () => {
    const ranges = passageRanges(
      ["It begins on this page and says a good deal more than", "Page 7"],
      "It begins on this page and says a good deal more than fits on it.",
    );
    expect(ranges).toEqual([{ item: 0, from: 0, to: 53 }]);
    expect(passageRanges(["nothing of it"], "It begins on this page")).toEqual([]);
    expect(passageRanges(["anything"], " – ")).toEqual([]);
  });

  test("an address names a passage and is read again; nonsense is nothing", () => {
    const address = viewerAddress({ documentId: "d", start: 3, end: 9, page: 2 });
    expect(address).toBe("/documents/view/d?start=3&end=9&page=2");
    expect(passageIn(new URL(address, "http://site.invalid"))).toEqual({ start: 3, end: 9, page: 2, quote: "" });
    expect(passageIn({ search: "?start=-4&end=x&page=1e999" })).toEqual({ start: 0, end: 0, page: 0, quote: "" });
    expect(viewerAddress({ documentId: "../x" })).toBe("/documents/view/..%2Fx");
  });
});
