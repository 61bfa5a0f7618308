// Names that are taken, and what an upload is told of them.
import { describe, expect, mock, test } from "bun:test";

mock.module("../../rxchat/ui/client/backend.js", () => ({ ask: async () => ({}), address: (path) => path }));
mock.module("react", () => ({ useSyncExternalStore: (_, get) => get(), useEffect: () => {}, useLayoutEffect: () => {} }));
const { takenNames } = await import("../../rxchat/ui/client/page-uploads.js");
const { createUploads } = await import("../../rxchat/ui/client/uploads.js");

const later = () => new Promise((done) => setTimeout(done, 0));

describe("names that are taken", () => {
  test("many are asked about in parts, each once", async () => {
    const asked = [];
    const send = async (_method, _path, { names }) => {
      asked.push(names.length);
      return { data: { taken: names.filter((name) => name === "7.txt") } };
    };
    const files = Array.from({ length: 450 }, (_, at) => ({ name: `${at % 430}.txt` }));
    expect([...(await takenNames("c", files, send))]).toEqual(["7.txt"]);
    expect(asked).toEqual([200, 200, 30]);
  });

  test("a server that does not answer stops no upload", async () => {
    expect((await takenNames("c", [{ name: "a" }], async () => ({ problem: "Away." }))).size).toBe(0);
  });
});

describe("uploads", () => {
  test("what was chosen goes along, and what was there already stays to be read", async () => {
    const made = [];
    const transfer = async (_file, metadata, tell) => {
      made.push({ metadata, tell });
      return { go: () => {}, stop: () => {}, giveUp: () => {} };
    };
    const uploads = createUploads({ metadata: { collection: "c" }, transfer });
    uploads.add([new File(["words"], "a.txt")], { if_exists: "replace" });
    uploads.add([new File(["words"], "b.txt")]);
    await later();
    expect(made.map(({ metadata }) => metadata)).toEqual([{ collection: "c", if_exists: "replace" }, { collection: "c" }]);
    made[0].tell.done("d1", { isThere: false, version: 2 });
    made[1].tell.done("d2", { isThere: true, version: 1 });
    await later();
    expect(uploads.list.map(({ version, isThere }) => [version, isThere])).toEqual([
      [2, false],
      [1, true],
    ]);
    uploads.clearDone();
    expect(uploads.list.map(({ name }) => name)).toEqual(["b.txt"]);
    uploads.dispose();
  });
});

test("a message of files alone names them until the server does", async () => {
  const { isThere, sentWords } = await import("../../rxchat/ui/client/attach-state.js");
  const attached = { chips: [{ name: "a.txt" }, { name: "b.pdf" }] };
  expect(sentWords({ text: "", attached })).toBe("Attached: a.txt, b.pdf");
  expect(sentWords({ text: "Why?", attached })).toBe("Why?");
  expect(["done", "failed", "gone", "uploading"].map((state) => isThere({ state }))).toEqual([true, false, false, false]);
});
