// Where the passage of an older citation stands in a document that may have changed since. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { passageIn, viewerAddress } from "../../rxchat/ui/client/viewer-address.js";
import { placeIn, splitAt } from "../../rxchat/ui/client/viewer-passage.js";
import { pieceWith } from "../../rxchat/ui/client/viewer-pieces.js";
import { isChoosable, readingWords } from "../../rxchat/ui/client/viewer-words.js";

const TEXT = "😀 The fee is 900 dollars.\nRefunds are paid within thirty days. The fee is 900 dollars, still.";
const piece = (text, start = 0) => ({ start, text, characters: start + Array.from(text).length });
const says = ({ start, text }, place) => place && splitAt(text, place.start - start, place.end - start)[1];

describe("a passage of an older citation", () => {
  test("is where it was when the same words stand there", () => {
    expect(placeIn(piece(TEXT), { start: 2, end: 24, quote: "The fee is 900" })).toEqual({ start: 2, end: 24 });
    expect(placeIn(piece(TEXT, 100), { start: 102, end: 124, quote: "the  fee is" })).toEqual({ start: 102, end: 124 });
  });

  test("is where its words are now when others stand there", () => {
    const now = piece(`A new preface.\n${TEXT}`, 50);
    const place = placeIn(now, { start: 75, end: 99, quote: "Refunds are\npaid within" });
    expect(says(now, place)).toBe("Refunds are paid within");
    expect(placeIn(piece("short"), { start: 900, end: 920, quote: "short" })).toEqual({ start: 0, end: 5 });
  });

  test("of several places it is the nearest to where it was", () => {
    const found = (start) => placeIn(piece(TEXT), { start, end: start + 3, quote: "The fee is 900 dollars" });
    expect([found(4).start, found(60).start]).toEqual([2, 63]);
  });

  test("is nowhere when its words are gone, and where the address says when it names no words", () => {
    expect(placeIn(piece(TEXT), { start: 2, end: 24, quote: "Fees are abolished" })).toBe(null);
    expect(placeIn(piece(TEXT), { start: 2, end: 24, quote: "" })).toEqual({ start: 2, end: 24 });
    expect(placeIn(piece(TEXT), { start: 0, end: 0, quote: "" })).toBe(null);
    expect(placeIn(piece(TEXT), { start: 900, end: 924, quote: "" })).toBe(null);
  });

  test("is found with letters that are written in two ways", () => {
    const cafe = "The cafe\u0301 is open.";
    expect(placeIn(piece(cafe), { start: 4, end: 9, quote: "cafe" })).toEqual({ start: 4, end: 9 });
  });

  test("is looked for in all pieces of a long document", async () => {
    const long = piece(`${"x ".repeat(60_000)}${TEXT}${" y".repeat(9_000)}`);
    const asked = [];
    const fetchFrom = async (start) => {
      asked.push(start);
      return { data: { ...long, start, text: Array.from(long.text).slice(start, start + 50_000).join("") } };
    };
    const { piece: found, place } = await pieceWith({ start: 7, end: 30, quote: "Refunds are paid" }, fetchFrom);
    expect(says(found, place)).toBe("Refunds are paid");
    expect(asked.length).toBeLessThan(6);
    expect(await pieceWith({ start: 7, end: 30, quote: "no such words" }, fetchFrom)).toMatchObject({ place: null, piece: { start: 0 } });
    expect(await pieceWith({ start: 7, end: 30, quote: "x" }, async () => ({ problem: "away" }))).toBe(undefined);
  });

  test("its address says how it begins, in whole characters", () => {
    const said = (quote) => passageIn(new URL(viewerAddress({ documentId: "d", start: 1, end: 9, quote }), "http://site.invalid")).quote;
    expect(said(" The fee ")).toBe("The fee");
    expect(said("😀".repeat(400))).toBe("😀".repeat(300));
    expect(said(`x${"😀".repeat(400)}`)).toBe(`x${"😀".repeat(299)}`);
  });
});

describe("how a document was read", () => {
  const readers = [["plain_text", "Plain text"], ["delimited", "Table (CSV)"]];
  const facts = { reader: "plain_text", encoding: "shift_jis", chosen_encoding: "", chosen_reader: "", state: "ready", media_type: "text/plain" };

  test("is said with its encoding, and whether that was chosen", () => {
    expect(readingWords(facts, readers)).toBe("Read as: Plain text, encoding shift_jis (detected)");
    expect(readingWords({ ...facts, chosen_encoding: "shift_jis" }, readers)).toBe("Read as: Plain text, encoding shift_jis (chosen)");
    expect(readingWords({ ...facts, reader: "pdf", encoding: "" }, readers)).toBe("Read as: PDF");
    expect(readingWords({ ...facts, reader: "", encoding: "" }, readers)).toBe("");
  });

  test("can be changed for text files that are not on their way", () => {
    expect(isChoosable(facts, readers)).toBe(true);
    expect(isChoosable({ ...facts, reader: "pdf", media_type: "application/pdf" }, readers)).toBe(false);
    expect(isChoosable({ ...facts, state: "embedded" }, readers)).toBe(false);
    expect(isChoosable({ ...facts, reader: "", state: "failed" }, readers)).toBe(true);
  });
});
