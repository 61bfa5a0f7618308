// What browsers, waits and times are called, without a browser. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { codesFile, deviceWords, expiryWords, grouped, isHandheld, isIpAddress } from "../../rxchat/ui/client/account-words.js";
import { waitWords } from "../../rxchat/ui/client/words.js";

const AGENTS = {
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Windows",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15": "Safari on a Mac",
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36": "Chrome on Linux",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0": "Edge on Windows",
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36": "Chrome on Android",
  "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":
    "Samsung Internet on Android",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0.0.0 Mobile/15E148 Safari/604.1":
    "Chrome on iPhone",
  "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36": "Chrome on ChromeOS",
  "python-httpx/0.28.1": "python-httpx",
  "curl/8.5.0": "curl",
  "": "An unknown browser",
  "<script>alert(1)</script>": "An unknown browser",
};

describe("devices", () => {
  for (const [agent, words] of Object.entries(AGENTS)) test(words, () => expect(deviceWords(agent)).toBe(words));

  test("nothing at all is unknown, too", () => expect(deviceWords(undefined)).toBe("An unknown browser"));

  test("a phone is one", () => {
    expect(isHandheld("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)")).toBe(true);
    expect(isHandheld("Mozilla/5.0 (X11; Linux x86_64)")).toBe(false);
  });

  test("a very long one is cut", () => expect(deviceWords(`${"x".repeat(5000)} Firefox/1`)).toBe("An unknown browser"));
});

describe("waits and times", () => {
  test("a wait is counted down in words", () => {
    expect(waitWords(125)).toBe("2:05 minutes");
    expect(waitWords(59.2)).toBe("1:00 minutes");
    expect(waitWords(12)).toBe("12 seconds");
    expect(waitWords(0.4)).toBe("1 second");
    expect(waitWords(-3)).toBe("0 seconds");
  });

  const now = Date.UTC(2026, 4, 20, 12);
  test("when a key ends", () => {
    expect(expiryWords(0, now)).toBe("Never expires");
    expect(expiryWords(now - 1, now)).toBe("Expired");
    expect(expiryWords(now + 86_400_000, now)).toBe("Expires in 1 day");
    expect(expiryWords(now + 30 * 86_400_000, now)).toBe("Expires in 30 days");
    expect(expiryWords(now + 90 * 86_400_000, now)).toMatch(/^Expires on .*2026/);
  });
});

describe("addresses and codes", () => {
  test("an IP address is one, a name is none", () => {
    for (const host of ["127.0.0.1", "[::1]", "::1", "10.0.0.255"]) expect(isIpAddress(host)).toBe(true);
    for (const host of ["localhost", "chat.example.org", "1.2.3.4.example"]) expect(isIpAddress(host)).toBe(false);
  });

  test("a secret in groups of four, and codes as a file", () => {
    expect(grouped("ABCDEFGHIJ")).toBe("ABCD EFGH IJ");
    expect(grouped("")).toBe("");
    expect(codesFile(["a-b", "c-d"], "ada@example.org", "chat.example.org")).toContain(
      "ada@example.org at chat.example.org\n\nEach code works once, in place of your authenticator app.\n\na-b\nc-d\n",
    );
  });
});
