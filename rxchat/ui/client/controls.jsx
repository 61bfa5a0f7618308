// For what JavaScript draws (cards of citations, older dialogs): whom Escape belongs to, and a button with an icon.
import { useEffect, useRef } from "react";
import { isComposing } from "./composition.js";
import "./missing-chunk-page.js";
import "./waking.js";

const open = [];

/** While `isOpen`, Escape closes this and nothing below it. */
export function useEscape(isOpen, close) {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    if (!isOpen) return undefined;
    const entry = () => latest.current();
    open.push(entry);
    return () => {
      open.splice(open.indexOf(entry), 1);
    };
  }, [isOpen]);
}

if (typeof document !== "undefined") {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || isComposing(event) || !open.length) return;
    event.preventDefault();
    open[open.length - 1]();
  });
}

/** A square button with an icon; its name is read out and shown as a tooltip. */
export function IconButton({ label, tip, side = "bottom", icon: Icon, size = 18, className = "", ...rest }) {
  return (
    <button type="button" aria-label={label} data-tip={tip ?? label} data-tip-side={side} className={`icon-button ${className}`} {...rest}>
      <Icon size={size} strokeWidth={1.75} aria-hidden="true" />
    </button>
  );
}
