// What this browser remembers for itself: it applies before the server has answered, and to this screen and keyboard only.
import { useSyncExternalStore } from "react";
import { onClientValue, setClientValue } from "./client-values.js";

/** @type {Record<string, string>} */
const DEFAULTS = { text_size: "normal", send_key: "enter", notifications: "off", dictation: "ask" };
const NOT_ALLOWED = "This browser does not let RxChat notify you. Allow notifications for this site in the browser’s settings, then switch them on here.";
const NOT_THERE = "This browser has no notifications here: they need an https address.";

/** @type {Record<string, string>} */
const values = {};
const keyOf = (name) => `rxchat:${name}`;

/** @param {string} name */
export function browserPreference(name) {
  try {
    return values[name] ?? localStorage.getItem(keyOf(name)) ?? DEFAULTS[name];
  } catch {
    return values[name] ?? DEFAULTS[name];
  }
}

function apply(name) {
  if (name === "text_size") document.documentElement.dataset.textSize = browserPreference(name);
  setClientValue(keyOf(name), browserPreference(name));
}

/** @param {string} name @param {string} value */
export function setBrowserPreference(name, value) {
  try {
    localStorage.setItem(keyOf(name), value);
  } catch {
    // Full, or not allowed: it holds until the page is left.
    values[name] = value;
  }
  apply(name);
}

/** The preference, which redraws its reader when it changes, in another tab as well. @param {string} name */
export function useBrowserPreference(name) {
  return useSyncExternalStore(
    (listener) => onClientValue(keyOf(name), listener),
    () => browserPreference(name),
    () => DEFAULTS[name],
  );
}

/** Switch notifications; the browser asks the user before the first one. @param {string} value */
export async function setNotifications(value) {
  setClientValue("notifications_problem", "");
  if (value === "on") {
    if (typeof Notification === "undefined") return setClientValue("notifications_problem", NOT_THERE);
    if ((await Notification.requestPermission()) !== "granted") return setClientValue("notifications_problem", NOT_ALLOWED);
  }
  setBrowserPreference("notifications", value);
}

/** Show a notification, if the user wants any; a click leads to the page. @param {string} title @param {string} body */
export function notify(title, body) {
  if (browserPreference("notifications") !== "on" || typeof Notification === "undefined" || Notification.permission !== "granted") return;
  try {
    const shown = new Notification(title, { body, icon: "/mark.svg", tag: location.pathname });
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
  } catch {
    // Phones: only service workers may show one there. The title has its mark.
  }
}

if (typeof window !== "undefined") {
  window.addEventListener("storage", ({ key }) => {
    const name = Object.keys(DEFAULTS).find((known) => key === null || key === keyOf(known));
    if (name) apply(name);
  });
}
