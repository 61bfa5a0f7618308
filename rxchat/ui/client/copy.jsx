// Copying text, with a word about whether it worked: only a script in the browser has the clipboard.
import { useEffect, useRef, useState } from "react";
import { Check, Copy } from "lucide-react";
import { copyOf, shownText } from "./plain-text.js";

/** The clipboard API exists only on https and localhost; elsewhere the old way still works. */
async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.style.cssText = "position:fixed;opacity:0;top:0";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Copy a message's words as they are shown: without Markdown, and without the buttons in it. @param {string} id */
export async function copyPlain(id) {
  const words = document.querySelector(`#message-${CSS.escape(id)} .md`);
  if (words) await copyText(shownText(copyOf(words)));
}

export function CopyButton({ text, label, className = "", withWord = false }) {
  const [isCopied, setCopied] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = () =>
    copyText(typeof text === "function" ? text() : text).then(
      () => {
        setCopied(true);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => setCopied(false), 1600);
      },
      () => setCopied(false),
    );
  const Icon = isCopied ? Check : Copy;
  const tip = withWord ? {} : { "data-tip": isCopied ? "Copied" : label };
  return (
    <button type="button" aria-label={label} className={className} onClick={copy} {...tip}>
      <Icon size={withWord ? 14 : 16} strokeWidth={1.75} aria-hidden="true" />
      {withWord && <span>{isCopied ? "Copied" : "Copy"}</span>}
      <span className="sr-only" role="status">
        {isCopied ? "Copied" : ""}
      </span>
    </button>
  );
}
