// Moments in words: the words change while a page is open, and only the browser knows its clock and time zone.

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ["year", 31536000],
  ["month", 2592000],
  ["week", 604800],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

const sameDay = { hour: "2-digit", minute: "2-digit" };
const otherDay = { day: "numeric", month: "short", ...sameDay };

/** "14:05" of today, "28 Nov, 14:05" of another day; and the exact time. @param {number} at @param {number} now @returns {[string, string]} */
export function shownTime(at, now) {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date(now).toDateString();
  const short = date.toLocaleString("en-GB", /** @type {Intl.DateTimeFormatOptions} */ (isToday ? sameDay : otherDay));
  return [short, date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" })];
}

/** "just now", "3 minutes ago", "yesterday", "in 7 days". @param {number} at @param {number} now */
export function spokenMoment(at, now) {
  const seconds = (at - now) / 1000;
  const found = UNITS.find(([, size]) => Math.abs(seconds) >= size);
  return found ? relative.format(Math.round(seconds / found[1]), found[0]) : "just now";
}
