// Pasted texts, words at the caret, and what is read aloud, without a browser. Run by test_client.py.
import { describe, expect, mock, test } from "bun:test";
import { withInserted } from "../../rxchat/ui/client/composer-insert.js";
import { endingOf, isLongText, nameOfText } from "../../rxchat/ui/client/pasted-text.js";
import { sentencesOf, voiceFor } from "../../rxchat/ui/client/speech.js";

mock.module("../../rxchat/ui/client/backend.js", () => ({ ask: async () => ({}), address: (path) => path }));
const { Attachments } = await import("../../rxchat/ui/client/attachments.js");

describe("a pasted text", () => {
  test("is long from 10,001 characters or 201 lines on, however lines end", () => {
    expect(isLongText("a".repeat(10_000))).toBe(false);
    expect(isLongText("a".repeat(10_001))).toBe(true);
    for (const end of ["\n", "\r\n", "\r"]) {
      expect(isLongText(`a${end}`.repeat(199))).toBe(false);
      expect(isLongText(`${`a${end}`.repeat(200)}a`)).toBe(true);
    }
    expect(isLongText("")).toBe(false);
  });

  test("is called by what it looks like", () => {
    expect(endingOf('{"a": [1, 2]}\n')).toBe(".json");
    expect(endingOf("[1, 2")).toBe(".txt");
    expect(endingOf("{braces} are no JSON}")).toBe(".txt");
    expect(endingOf("name,sum\na,1\nb,2\n")).toBe(".csv");
    expect(endingOf("name;sum\na;1\nb;2")).toBe(".csv");
    expect(endingOf("name\tsum\na\t1\nb\t2")).toBe(".tsv");
    expect(endingOf("# Title\n\n- one\n- two")).toBe(".md");
    expect(endingOf("- a list alone\n- is a text")).toBe(".txt");
    expect(endingOf("<!DOCTYPE html><title>x</title>")).toBe(".html");
    expect(endingOf('<?xml version="1.0"?><a/>')).toBe(".xml");
    expect(endingOf("Dear Ada, a sentence, and another.\nYours")).toBe(".txt");
    expect(endingOf("")).toBe(".txt");
    expect(nameOfText("words", [])).toBe("Pasted text.txt");
    expect(nameOfText("words", ["Pasted text.txt", "Pasted text 2.txt"])).toBe("Pasted text 3.txt");
  });

  const made = (stored) => {
    const [kept, back] = [[], []];
    const transfers = [];
    class Upload {
      constructor(file, options) {
        Object.assign(this, { file, options });
        transfers.push(this);
      }
      abort = async () => {};
      start() {}
    }
    const store = new Attachments({
      conversation: "c",
      newId: () => "draft",
      save: (attached) => kept.push(attached),
      erase: async () => "",
      giveBack: ({ text }, at) => back.push([text, at]),
      stored,
      loadUpload: async () => Upload,
      withdraw: () => {},
    });
    return { store, kept, back, transfers };
  };

  test("is kept with the draft until it has arrived, and is then one attachment among others", async () => {
    const { store, kept, back, transfers } = made();
    const key = store.addText(new File(["words"], "Pasted text.txt"), "words");
    expect(kept.at(-1).chips).toEqual([{ kind: "file", name: "Pasted text.txt", id: "", state: "gone", text: "words" }]);
    await Bun.sleep(0);
    transfers[0].options.onSuccess();
    expect(store.items[0].key).toBe(key);
    expect(kept.at(-1).chips).toEqual([{ kind: "file", name: "Pasted text.txt", id: "", state: "done" }]);
    expect(store.attached().chips[0].text).toBe(undefined);
    expect(back).toEqual([]);
  });

  test("comes back as soon as its upload is refused or its connection lost", async () => {
    for (const status of [507, 0]) {
      const { store, back, transfers } = made();
      store.addText(new File(["words"], "Pasted text.txt"), "words");
      await Bun.sleep(0);
      transfers[0].options.onError({ originalRequest: {}, originalResponse: status ? { getStatus: () => status, getBody: () => "" } : null });
      expect(back).toEqual([["words", "c"]]);
      expect(store.items).toEqual([]);
    }
  });
});

describe("words at the caret", () => {
  const spoken = (text, start, words, end = start) => withInserted(text, start, end, words, true);

  test("pasted ones are put as they are, in place of the selection", () => {
    expect(withInserted("one two", 4, 7, " 2 ")).toEqual({ text: "one  2 ", caret: 7 });
  });

  test("spoken ones get the spaces that they need", () => {
    expect(spoken("", 0, " hello ")).toEqual({ text: "hello", caret: 5 });
    expect(spoken("Say", 3, "hello")).toEqual({ text: "Say hello", caret: 9 });
    expect(spoken("Say now", 4, "hello")).toEqual({ text: "Say hello now", caret: 10 });
    expect(spoken("(", 1, "hello").text).toBe("(hello");
    expect(spoken("Say", 3, ", hello").text).toBe("Say, hello");
    expect(spoken("日本", 2, "東京").text).toBe("日本東京");
    expect(spoken("one two", 4, "three", 7).text).toBe("one three");
    expect(spoken("one", 3, "  ")).toEqual({ text: "one", caret: 3 });
  });
});

describe("reading aloud", () => {
  test("a voice of this computer comes first, then the exact variant, and other languages never", () => {
    const voice = (name, lang, localService = false) => ({ name, lang, localService, default: false });
    const voices = [voice("cloud", "en-GB"), voice("other", "de-DE", true), voice("us", "en-US", true), voice("gb", "en_GB", true)];
    expect(voiceFor(voices, "en-GB")?.name).toBe("gb");
    expect(voiceFor(voices.slice(0, 3), "en-GB")?.name).toBe("us");
    expect(voiceFor(voices.slice(0, 2), "en-GB")?.name).toBe("cloud");
    expect(voiceFor(voices, "fr")).toBe(undefined);
  });

  test("goes by sentences; long ones have parts, and what has no words is left out", () => {
    expect(sentencesOf("One is here. Two is there!\n\n---\nThree", "en")).toEqual(["One is here.", "Two is there!", "Three"]);
    const parts = sentencesOf("word ".repeat(200), "en");
    expect(parts.every((part) => part.length <= 240)).toBe(true);
    expect(parts.join(" ")).toBe("word ".repeat(200).trim());
    expect(sentencesOf("x".repeat(500), "en").join("")).toBe("x".repeat(500));
    expect(sentencesOf(" \n * \n", "en")).toEqual([]);
  });
});
