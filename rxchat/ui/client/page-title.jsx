// The title of the browser's tab: it changes with what a page shows, and Reflex sets one for each route only.
import { useEffect, useRef, useState } from "react";
import { notify } from "./browser-preferences.js";
import { viewed } from "./page-state.js";

const OUTCOMES = { done: "The answer is there.", failed: "The answer failed.", interrupted: "The answer was cut off." };

/** Whether an answer has ended while the page was not seen, until it is seen again. */
function useUnseenAnswer(title, run) {
  const [isUnseen, setUnseen] = useState(false);
  const before = useRef("");
  useEffect(() => {
    const ended = before.current && before.current !== run;
    before.current = run;
    const outcome = OUTCOMES[viewed().messages.at(-1)?.state];
    // A page that has reconnected knows no run for a moment, while its answer is still being written.
    if (!ended || !document.hidden || !outcome) return;
    setUnseen(true);
    notify(title || "RxChat", outcome);
  }, [run]);
  useEffect(() => {
    const see = () => document.hidden || setUnseen(false);
    document.addEventListener("visibilitychange", see);
    return () => document.removeEventListener("visibilitychange", see);
  }, []);
  return isUnseen;
}

export function PageTitle({ title, run = "" }) {
  const isUnseen = useUnseenAnswer(title, run);
  useEffect(() => {
    document.title = `${isUnseen ? "● " : ""}${title ? `${title} · RxChat` : "RxChat"}`;
  }, [title, isUnseen]);
  return null;
}
