// The address of a passage. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { passageIn, viewerAddress } from "../../rxchat/ui/client/viewer-address.js";

describe("the address of a passage", () => {
  test("its address says how it begins, in whole characters", () => {
    const said = (quote) => passageIn(new URL(viewerAddress({ documentId: "d", start: 1, end: 9, quote }), "http://site.invalid")).quote;
    expect(said(" The fee ")).toBe("The fee");
    expect(said("😀".repeat(400))).toBe("😀".repeat(300));
    expect(said(`x${"😀".repeat(400)}`)).toBe(`x${"😀".repeat(299)}`);
  });
});
