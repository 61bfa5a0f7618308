// Small pure functions about accounts: browsers, waits, times and addresses in words.

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

const STEPS = [[60_000, 1000, "second"], [3_600_000, 60_000, "minute"], [86_400_000, 3_600_000, "hour"], [30 * 86_400_000, 86_400_000, "day"]];

/** "just now", "5 minutes ago", "yesterday"; after a month the date. */
export function ago(at, now) {
  const passed = now - at;
  if (passed < 45_000) return "just now";
  const [, unit, word] = STEPS.find(([below]) => passed < below) ?? [];
  if (!unit) return day(at);
  const count = Math.round(passed / unit);
  if (word === "day" && count === 1) return "yesterday";
  return `${count} ${word}${count === 1 ? "" : "s"} ago`;
}

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

export const METHODS = { password: "password", passkey: "passkey", github: "GitHub", apple: "Apple", oidc: "single sign-on" };

const PROBLEMS = {
  provider_refused: "The sign-in provider cancelled or refused the sign-in. You can try again.",
  provider_away: "The sign-in provider does not respond. Try again in a moment.",
  provider_broke: "This sign-in could not be completed. Start it again.",
  sign_in_again: "To connect an account, sign out and in again first: this requires a sign-in within the last ten minutes, with two-factor authentication if you use it.",
  no_account: "There is no RxChat account for this sign-in. Accounts are created by invitation: ask an administrator for one.",
  address_taken: "An account with this e-mail address already exists. Sign in to it, then connect this sign-in on your account page.",
  address_unconfirmed: "The sign-in provider says that your e-mail address is not confirmed (the claim “email_verified” is false). Confirm it there, or ask for an invitation.",
  address_missing: "The sign-in provider sent no e-mail address: the claim “email” is missing. An administrator has to configure the provider to send it, and RXCHAT_OIDC_SCOPES must contain “email”.",
  address_empty: "The sign-in provider sent an empty e-mail address (the claim “email”). Add one to your account there.",
  address_unsaid: "The sign-in provider does not say whether your e-mail address is confirmed: the claim “email_verified” is missing. An administrator can trust this provider (RXCHAT_OIDC_TRUST_EMAIL=true), or invite you.",
  not_found: "This sign-in provider is not available.",
  too_many_attempts: "Too many attempts. Wait a moment and try again.",
  conflict: "This account is already connected to another RxChat account.",
  not_allowed: "Confirm your e-mail address first: open the link in the e-mail that we have just sent you.",
  database_busy: "RxChat is busy. Try again in a few seconds.",
  database_away: "The database does not respond. Try again in a moment.",
};

/** What an address says went wrong elsewhere, as our own sentence: the address never brings its own words. */
export function problemWords(code) {
  if (!code) return "";
  return Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : "The external sign-in failed. Try again.";
}

/** The ten recovery codes as a file to keep. */
export function codesFile(codes, email, site) {
  return `Recovery codes for RxChat\n${email} at ${site}\n\nEach code works once, in place of your authenticator app.\n\n${codes.join("\n")}\n`;
}
