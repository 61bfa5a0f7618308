// The address of a passage. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { besideAddress, viewerAddress } from "../../rxchat/ui/client/viewer-address.js";

describe("the address of a passage", () => {
  test("names what is known of its place, in numbers or as another address says it", () => {
    expect(viewerAddress({ documentId: "a/b", start: 3, end: 9, page: 2, quote: "" })).toBe("/documents/view/a%2Fb?start=3&end=9&page=2");
    expect(viewerAddress({ documentId: "../x", start: -4, end: 0, page: 0, quote: "" })).toBe("/documents/view/..%2Fx");
    expect(viewerAddress({ documentId: "d", start: "", end: "9", page: "x", quote: "" })).toBe("/documents/view/d?end=9");
  });

  test("beside a conversation follows the conversation's", () => {
    const page = viewerAddress({ documentId: "a/b", start: 3, end: 9, page: 2, quote: "The fee?" });
    expect(besideAddress("/c/1", page)).toBe("/c/1?document=a%2Fb&start=3&end=9&page=2#quote=The+fee%3F");
    expect(besideAddress("/c/1", "/documents/view/d")).toBe("/c/1?document=d");
  });
});
