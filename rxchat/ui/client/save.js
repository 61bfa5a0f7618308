// Saving and printing: only the browser makes a file without asking a server, or prints.

import { setClientValue } from "./client-values.js";

/** @param {string} name @param {string} type a media type @param {string} text */
export function saveText(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  // The browser reads the file after the click.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Save what a route of the server sends; the page stays, also if it sends an error. @param {string} address */
export function download(address) {
  Object.assign(document.createElement("a"), { href: address, download: "" }).click();
}

/** Open a page of the server, and print it when it is there. @param {string} address */
export function printPage(address) {
  const opened = window.open(address, "_blank");
  if (!opened) return setClientValue("problem_toast", "The browser has blocked the page to print. Allow pop-ups for this site, and try again.");
  const timer = setInterval(() => {
    try {
      if (!opened.closed && (opened.location.href === "about:blank" || opened.document.readyState !== "complete")) return;
      clearInterval(timer);
      // A refusal is no page: it stays to be read.
      if (!opened.closed && opened.document.contentType === "text/html") opened.print();
    } catch {
      // In development the server is another origin: its page is there, to be printed by hand.
      clearInterval(timer);
    }
  }, 100);
}
