// What waits are called, without a browser. Run by test_client.py.
import { expect, test } from "bun:test";
import { waitWords } from "../../rxchat/ui/client/words.js";

test("a wait is counted down in words", () => {
  expect(waitWords(125)).toBe("2:05 minutes");
  expect(waitWords(59.2)).toBe("1:00 minutes");
  expect(waitWords(12)).toBe("12 seconds");
  expect(waitWords(0.4)).toBe("1 second");
  expect(waitWords(-3)).toBe("0 seconds");
});
