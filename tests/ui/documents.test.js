// Uploads without a network, and passages found again. Run by test_client.py.
import { describe, expect, mock, test } from "bun:test";
import { passageRanges } from "../../rxchat/ui/client/viewer-passage.js";

const asked = [];
let taken = async () => ({});
mock.module("../../rxchat/ui/client/backend.js", () => ({
  address: (path) => path,
  ask: async (method, path, body) => {
    asked.push([method, path]);
    return taken(body);
  },
}));
mock.module("react", () => ({ useSyncExternalStore: (_, get) => get(), useEffect: () => {}, useLayoutEffect: () => {} }));
const { isFinal, refusalIn, Uploads } = await import("../../rxchat/ui/client/uploads.js");
const { overallProgress, takenNames } = await import("../../rxchat/ui/client/page-uploads.js");

const later = () => new Promise((done) => setTimeout(done, 0));
const named = (...names) => names.map((name) => new File(["words"], name));
const headers = (values) => ({ getHeader: (name) => values[name] ?? null });
const failing = (status, body = "") => ({ originalRequest: {}, originalResponse: { getStatus: () => status, getBody: () => body } });

/** Uploads whose transfers do what the test says. */
function withTransfers(more = {}) {
  const transfers = [];
  class Upload {
    constructor(file, options) {
      Object.assign(this, options, { file, calls: [] });
      transfers.push(this);
    }
    async abort() {
      this.calls.push("abort");
    }
    start() {
      this.calls.push("start");
    }
    stored(id, facts = {}) {
      this.onAfterResponse({}, headers({ "X-Document": id, ...facts }));
      this.onSuccess();
    }
  }
  const uploads = new Uploads({ changed: () => {}, loadUpload: async () => Upload, again: 100_000, ...more });
  return { uploads, transfers, states: () => uploads.items.map((item) => item.state), of: (name) => uploads.items.find((item) => item.name === name) };
}

describe("uploads", () => {
  test("three go at a time, and the next when one is done", async () => {
    const { uploads, transfers, states } = withTransfers();
    uploads.add(named("a", "b", "c", "d"), { collection: "c" });
    await later();
    expect(states()).toEqual(["uploading", "uploading", "uploading", "queued"]);
    expect(transfers[0].metadata).toEqual({ filename: "a", collection: "c" });
    transfers[0].stored("d1");
    await later();
    expect(states()).toEqual(["done", "uploading", "uploading", "uploading"]);
    expect(uploads.items[0]).toMatchObject({ progress: 1, id: "d1" });
    expect(transfers[3].calls.at(-1)).toBe("start");
    uploads.clearDone();
    expect(uploads.items.map(({ name }) => name)).toEqual(["b", "c", "d"]);
  });

  test("one that is paused lets another go, and what it still tells does not count", async () => {
    const { uploads, transfers, of } = withTransfers();
    uploads.add(named("a", "b", "c", "d"), {});
    await later();
    transfers[0].onProgress(1, 2);
    uploads.act("pause", of("a").key);
    await later();
    expect([of("a").state, of("d").state]).toEqual(["paused", "uploading"]);
    transfers[0].onProgress(9, 10);
    transfers[0].onError(failing(0));
    expect(of("a")).toMatchObject({ state: "paused", progress: 0.5 });
    uploads.act("resume", of("a").key);
    expect(of("a").state).toBe("queued");
    transfers[1].stored("d2");
    await later();
    expect(transfers[0].calls).toEqual(["abort", "start", "abort", "abort", "start"]);
  });

  test("a refusal is final and can be tried again anew", async () => {
    const { uploads, transfers, of } = withTransfers();
    uploads.add(named("a"), {});
    await later();
    expect(transfers[0].onShouldRetry(failing(422), 0)).toBe(false);
    transfers[0].onError(failing(422, '{"error": {"message": "“a” is empty."}}'));
    expect(of("a")).toMatchObject({ state: "failed", error: "“a” is empty." });
    transfers[0].onSuccess();
    expect(of("a").state).toBe("failed");
    uploads.act("retry", of("a").key);
    await later();
    expect(of("a")).toMatchObject({ state: "uploading", error: "" });
    expect(transfers).toHaveLength(2);
  });

  test("what was lost goes on when there is a line again", async () => {
    const { uploads, transfers, of } = withTransfers();
    uploads.add(named("a"), {});
    await later();
    transfers[0].onProgress(3, 10);
    expect(transfers[0].onShouldRetry(failing(0), 0)).toBe(true);
    expect(of("a").state).toBe("uploading");
    transfers[0].onError(failing(0));
    await later();
    expect(of("a")).toMatchObject({ state: "lost", progress: 0.3 });
    uploads.goOn();
    await later();
    expect(transfers[0].calls).toEqual(["abort", "start", "abort", "start"]);
    transfers[0].onProgress(6, 10);
    expect(of("a").state).toBe("uploading");
  });

  test("a file that cannot be read any more is not tried for ever", async () => {
    const { uploads, transfers, of } = withTransfers();
    const gone = { name: "gone", size: 3, slice: () => ({ arrayBuffer: () => Promise.reject(new Error("NotFoundError")) }) };
    uploads.add([gone], {});
    await later();
    transfers[0].onError(failing(0));
    await later();
    expect(of("gone").state).toBe("failed");
    expect(of("gone").error).toContain("cannot be read");
  });

  test("one that is given up is taken back at the server, one that has ended is not", async () => {
    const withdrawn = [];
    const { uploads, transfers } = withTransfers({ withdraw: (id) => withdrawn.push(id) });
    uploads.add(named("a", "b"), {});
    await later();
    transfers[0].stored("d1");
    transfers[1].onAfterResponse({}, headers({ Location: "/api/uploads/d2" }));
    for (const { key } of [...uploads.items]) uploads.act("cancel", key);
    expect([withdrawn, transfers[1].calls.at(-1), uploads.items]).toEqual([["d2"], "abort", []]);
  });

  test("what was chosen goes along, and what was there already stays to be read", async () => {
    const { uploads, transfers } = withTransfers();
    uploads.add(named("a.txt"), { collection: "c", if_exists: "replace" });
    uploads.add(named("b.txt"), { collection: "c" });
    await later();
    expect(transfers.map(({ metadata }) => metadata.if_exists)).toEqual(["replace", undefined]);
    transfers[0].stored("d1", { "X-Version": "2" });
    transfers[1].stored("d2", { "X-Version": "1", "X-Already-Exists": "1" });
    expect(uploads.items.map(({ version, isThere }) => [version, isThere])).toEqual([
      [2, false],
      [1, true],
    ]);
    uploads.clearDone();
    expect(uploads.items.map(({ name }) => name)).toEqual(["b.txt"]);
  });

  test("a module that cannot be loaded just now is asked for again", async () => {
    let isAway = true;
    class Upload {
      abort = async () => {};
      start() {}
    }
    const { uploads, of } = withTransfers({
      loadUpload: async () => {
        if (isAway) throw new TypeError("Failed to fetch dynamically imported module");
        return Upload;
      },
    });
    uploads.add(named("a"), {});
    await later();
    expect(of("a").state).toBe("queued");
    isAway = false;
    uploads.goOn();
    await later();
    expect(of("a").state).toBe("uploading");
  });

  test("which answers are final, and what they say", () => {
    expect([400, 401, 403, 404, 413, 422, 507].every(isFinal)).toBe(true);
    expect([0, 409, 423, 429, 500, 502, 503].some(isFinal)).toBe(false);
    expect(refusalIn('{"error": {"message": "No."}}', 422)).toBe("No.");
    expect(refusalIn("<html>", 413)).toContain("413");
  });

  test("the progress of all counts their sizes, and none that failed", () => {
    const items = [
      { state: "done", size: 3, progress: 1 },
      { state: "uploading", size: 1, progress: 0 },
      { state: "failed", size: 9, progress: 0 },
    ];
    expect(overallProgress(items)).toBe(0.75);
  });
});

describe("names that are taken", () => {
  test("many are asked about in parts, each once", async () => {
    const parts = [];
    taken = async ({ names }) => {
      parts.push(names.length);
      return { data: { taken: names.filter((name) => name === "7.txt") } };
    };
    const files = Array.from({ length: 450 }, (_, at) => ({ name: `${at % 430}.txt` }));
    expect([...(await takenNames("c", files))]).toEqual(["7.txt"]);
    expect(parts).toEqual([200, 200, 30]);
  });

  test("a server that does not answer stops no upload", async () => {
    taken = async () => ({ problem: "Away." });
    expect((await takenNames("c", [{ name: "a" }])).size).toBe(0);
    expect(asked.at(-1)).toEqual(["POST", "/api/collections/c/taken-names"]);
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
});
