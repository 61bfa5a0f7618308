// Parts of the page that an upgrade removed, without a browser. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { createRecovery } from "../../rxchat/ui/client/missing-chunk.js";

/** A tab: what it keeps outlives its reloads. */
function tab(more = {}) {
  const kept = new Map();
  const done = { reloads: 0, told: [] };
  const options = {
    storage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) },
    version: () => "1",
    answers: async () => true,
    reload: () => (done.reloads += 1),
    tell: (words) => done.told.push(words),
    ...more,
  };
  return { done, load: (version = "1") => createRecovery({ ...options, version: () => version }) };
}

describe("a part of the page that is gone", () => {
  test("makes the tab reload itself once, however many parts are missing", async () => {
    const { done, load } = tab();
    const recover = load();
    await Promise.all([recover(), recover(), recover()]);
    expect(done).toEqual({ reloads: 1, told: [] });
  });

  test("is a sentence when it is gone after the reload, too", async () => {
    const { done, load } = tab();
    await load()();
    await load()();
    await load()();
    expect(done.reloads).toBe(1);
    expect(done.told.length).toBe(2);
    expect(done.told[0]).toContain("What you typed is kept");
  });

  test("makes the tab reload itself again after the next upgrade", async () => {
    const { done, load } = tab();
    await load("1")();
    await load("2")();
    expect(done).toEqual({ reloads: 2, told: [] });
  });

  test("is a sentence while the server does not answer, and the reload is still to be had", async () => {
    let isUp = false;
    const { done, load } = tab({
      answers: async () => {
        if (!isUp) throw new TypeError("Failed to fetch");
        return true;
      },
    });
    const recover = load();
    await recover();
    expect([done.reloads, done.told.length]).toEqual([0, 1]);
    isUp = true;
    await recover();
    expect(done.reloads).toBe(1);
  });

  test("is a sentence where nothing can be remembered", async () => {
    const refuse = () => {
      throw new DOMException("no", "SecurityError");
    };
    for (const storage of [
      { getItem: refuse, setItem: refuse },
      { getItem: () => null, setItem: () => {} },
    ]) {
      const { done, load } = tab({ storage });
      await load()();
      expect([done.reloads, done.told.length]).toEqual([0, 1]);
    }
  });
});
