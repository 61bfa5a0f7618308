// Drafts of two devices: nothing that was typed is lost. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { createDraftSaves } from "../../rxchat/ui/client/draft-saves.js";
import { createDrafts } from "../../rxchat/ui/client/drafts.js";

const ME = "a@x";
const HERE = "c1";

/** The server's rule (rxchat/db/chat/drafts.py). */
function createServer() {
  const server = {
    text: "",
    take(text, base) {
      if (server.text && server.text !== base && !(text.trim() && text.includes(server.text))) return { is_saved: false, other: server.text };
      server.text = text.trim() ? text : "";
      return { is_saved: true, other: "" };
    },
  };
  return server;
}

/** A browser; its answers come when the test wants them. */
function createDevice(server) {
  const items = new Map();
  const drafts = createDrafts({ getItem: (k) => items.get(k) ?? null, setItem: (k, v) => items.set(k, v), removeItem: (k) => items.delete(k) });
  let count = 0;
  const newName = () => `save ${++count}`;
  let saves = createDraftSaves(drafts, newName);
  const answers = [];
  const device = {
    drafts,
    text: () => drafts.load(ME, HERE),
    type: (text) => drafts.type(ME, HERE, text),
    save: () => saves.save(ME, HERE, (_conversation, text, name, base) => answers.push({ name, ...server.take(text, base) })),
    /** Take all answers, and save again as often as they ask for it. */
    settle() {
      for (let answer = answers.shift(); answer; answer = answers.shift()) if (saves.answer(ME, answer) === HERE) device.save();
    },
    load: () => drafts.isUnsaved(ME, HERE) || drafts.receive(ME, HERE, server.text),
    /** The page is loaded again: answers on their way are lost. */
    reload() {
      answers.length = 0;
      saves = createDraftSaves(drafts, newName);
    },
    types(text) {
      device.type(text);
      device.save();
      device.settle();
    },
  };
  return device;
}

function pair() {
  const server = createServer();
  return { server, first: createDevice(server), second: createDevice(server) };
}

describe("drafts of two devices", () => {
  test("both stay when a page that has not seen the first one gets a letter", () => {
    const { server, first, second } = pair();
    first.types("long text");
    second.types("x");
    expect([second.text(), server.text]).toEqual(["x\n\nlong text", "x\n\nlong text"]);
    first.load();
    expect(first.text()).toBe("x\n\nlong text");
  });

  test("an empty text removes nothing that was not seen here", () => {
    const { server, first, second } = pair();
    first.types("long text");
    second.type("x");
    second.save();
    second.type("");
    second.save();
    second.settle();
    first.load();
    expect([first.text(), second.text(), server.text]).toEqual(["long text", "long text", "long text"]);
    second.types("");
    first.load();
    expect([first.text(), server.text]).toEqual(["", ""]);
  });

  test("what is sent before its save is answered is no draft any more", () => {
    for (const isLost of [false, true]) {
      const { server, first, second } = pair();
      first.type("a message");
      first.save();
      first.drafts.send(ME, HERE, "k1", "a message");
      if (isLost) first.reload();
      first.save();
      first.settle();
      second.load();
      expect([first.text(), second.text(), server.text, first.drafts.isUnsaved(ME, HERE)]).toEqual(["", "", "", false]);
    }
  });

  test("what was typed while a save was on its way is saved, and doubles nothing", () => {
    const { server, first } = pair();
    for (const text of ["one two", "one", "on the way"]) {
      first.type(text);
      first.save();
    }
    first.type("on a way");
    first.settle();
    expect([first.text(), server.text, first.drafts.isUnsaved(ME, HERE)]).toEqual(["on a way", "on a way", false]);
  });

  test("of a save whose answer was lost, the text is known here", () => {
    const { server, first } = pair();
    first.type("one two");
    first.save();
    first.reload();
    first.types("one");
    expect([first.text(), server.text]).toEqual(["one", "one"]);
  });
});
