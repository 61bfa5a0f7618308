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

/** How long one still has to wait: "1 second", "45 seconds", "2:05 minutes". */
export function waitWords(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  if (left === 1) return "1 second";
  if (left < 60) return `${left} seconds`;
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} minutes`;
}

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
  provider_refused: "The sign-in was cancelled or refused there. You can try again.",
  provider_away: "The sign-in provider does not answer. Please try again in a moment.",
  provider_broke: "This sign-in could not be completed. Please start it again.",
  sign_in_again: "To connect a way to sign in, sign out and in again first: this needs a sign-in of the last ten minutes, with your second factor if you have one.",
  no_account: "There is no RxChat account for this sign-in. Accounts here are made by invitation: ask an administrator for one.",
  address_taken: "There is an account with this e-mail address already. Sign in to it, then connect this sign-in on your account page.",
  address_unconfirmed: "Your account there has no confirmed e-mail address (the claim email_verified is false). Confirm it there, or ask for an invitation.",
  address_missing: "The sign-in provider sent no e-mail address: the claim “email” is missing. An administrator has to have it added there, and RXCHAT_OIDC_SCOPES must hold “email”.",
  address_empty: "The sign-in provider sent an empty e-mail address (the claim “email”). Your account there needs one.",
  address_unsaid: "The sign-in provider does not say whether your e-mail address is confirmed: the claim “email_verified” is missing. An administrator can trust this provider (RXCHAT_OIDC_TRUST_EMAIL=true), or invite you.",
  not_found: "This way to sign in is not offered here (any more).",
  too_many_attempts: "Too many attempts. Please wait a moment and try again.",
  conflict: "This account is connected to another RxChat account already.",
  not_allowed: "Please confirm your e-mail address first: open the link in the mail that we have just sent you.",
  database_busy: "RxChat is busy. Please try again in a few seconds.",
  database_away: "The database does not answer. Please try again in a moment.",
};

/** What an address says went wrong elsewhere, as our own sentence: the address never brings its own words. */
export function problemWords(code) {
  if (!code) return "";
  return Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : "Signing in there did not work. Please try again.";
}

/** The ten recovery codes as a file to keep. */
export function codesFile(codes, email, site) {
  return `Recovery codes for RxChat\n${email} at ${site}\n\nEach code works once, in place of your authenticator app.\n\n${codes.join("\n")}\n`;
}
