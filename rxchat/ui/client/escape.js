// Escape closes the innermost card: several React components of the thread can be open above one another.
import { useEffect, useRef } from "react";
import { isComposing } from "./composition.js";

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
