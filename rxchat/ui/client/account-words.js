// Words about accounts that only the browser knows how to say: devices, dates in the reader's language and time zone, codes as a file.

const BROWSERS = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\/|\bOpera\b/, "Opera"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bHeadlessChrome\/|\bChrom(?:e|ium)\/|\bCriOS\//, "Chrome"],
  [/\bVersion\/[\d.]+.*\bSafari\//, "Safari"],
];
const SYSTEMS = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMacintosh\b|\bMac OS X\b/, "a Mac"],
  [/\bLinux\b|\bX11\b/, "Linux"],
];
const HANDHELD = new Set(["iPhone", "iPad", "Android"]);

const named = (table, text) => table.find(([pattern]) => pattern.test(text))?.[1] ?? "";

/** "Firefox on Windows", "Chrome on Android", "python-httpx"; what says nothing is "An unknown browser". */
export function deviceWords(userAgent) {
  const text = (userAgent ?? "").slice(0, 300);
  const browser = named(BROWSERS, text);
  const system = named(SYSTEMS, text);
  if (browser && system) return `${browser} on ${system}`;
  if (browser || system) return browser || `A browser on ${system}`;
  return text.match(/^[\w.-]{2,40}(?=\/|$)/)?.[0] ?? "An unknown browser";
}

export const isHandheld = (userAgent) => HANDHELD.has(named(SYSTEMS, userAgent ?? ""));

/** "5 March 2026" in the reader's own language and time. */
export function day(at, locale) {
  return new Date(at).toLocaleDateString(locale, { day: "numeric", month: "long", year: "numeric" });
}

/** Whether an API key can still be used, in words: "Expires in 12 days", "Never expires", "Expired". */
export function expiryWords(at, now) {
  if (!at) return "Never expires";
  if (at <= now) return "Expired";
  const days = Math.ceil((at - now) / 86_400_000);
  return days <= 31 ? `Expires in ${days} day${days === 1 ? "" : "s"}` : `Expires on ${day(at)}`;
}

/** Passkeys belong to names: under an IP address no browser makes any. */
export function isIpAddress(host) {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.includes(":") || host.startsWith("[");
}

/** A secret as people can copy it by hand: in groups of four. */
export function grouped(secret) {
  return secret.match(/.{1,4}/g)?.join(" ") ?? "";
}

/** The ten recovery codes as a file to keep. */
export function codesFile(codes, email, site) {
  return `Recovery codes for RxChat\n${email} at ${site}\n\nEach code works once, in place of your authenticator app.\n\n${codes.join("\n")}\n`;
}
