// The field of a temporary chat, and the question before a page is left that would lose it.
import { browserPreference } from "./browser-preferences.js";
import { isComposing } from "./composition.js";

/** @param {KeyboardEvent} event */
function sendWithKey(event) {
  if (event.key !== "Enter" || event.shiftKey || event.altKey || isComposing(event)) return;
  if (browserPreference("send_key") === "ctrl_enter" && !event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  /** @type {HTMLTextAreaElement} */ (event.currentTarget).form?.requestSubmit();
}

/** The `ref` of a text field whose form is sent by the key that the user has chosen. @param {HTMLTextAreaElement | null} field */
export const sendsWithKey = (field) => {
  field?.addEventListener("keydown", sendWithKey);
  field?.focus();
};

/** The `ref` of an element that stands for something that is lost with the page. @param {HTMLElement | null} element */
export const asksBeforeLeaving = (element) => {
  const ask = (event) => element?.isConnected && event.preventDefault();
  if (element) window.addEventListener("beforeunload", ask);
};
