// The address of a passage. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { besideAddress, pageAddress, passageIn, viewerAddress } from "../../rxchat/ui/client/viewer-address.js";

describe("the address of a passage", () => {
  test("its address says how it begins, in whole characters", () => {
    const said = (quote) => passageIn(new URL(viewerAddress({ documentId: "d", start: 1, end: 9, quote }), "http://site.invalid")).quote;
    expect(said(" The fee ")).toBe("The fee");
    expect(said("😀".repeat(400))).toBe("😀".repeat(300));
    expect(said(`x${"😀".repeat(400)}`)).toBe(`x${"😀".repeat(299)}`);
  });

  test("beside a conversation it keeps the conversation's, and leads to the page of the document", () => {
    const page = viewerAddress({ documentId: "a/b", start: 3, end: 9, page: 2, quote: "The fee?" });
    const beside = besideAddress("/c/1", page);
    expect(beside).toBe("/c/1?document=a%2Fb&start=3&end=9&page=2#quote=The+fee%3F");
    expect(pageAddress(new URL(beside, "http://site.invalid"))).toBe(page);
    expect(besideAddress("/c/1", "/documents/view/d")).toBe("/c/1?document=d");
    expect(pageAddress(new URL("http://site.invalid/c/1"))).toBe("/documents/view/");
  });
});
