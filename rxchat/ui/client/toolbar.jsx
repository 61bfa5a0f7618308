// A row of buttons that is one stop of the Tab key; the arrow keys go from button to button (ARIA's toolbar pattern).
import { useEffect, useRef } from "react";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

/** @param {Record<string, any>} props */
export function Toolbar({ label, className, children }) {
  const bar = useRef(/** @type {HTMLDivElement | null} */ (null));
  const buttons = () => Array.from(bar.current?.querySelectorAll("button") ?? []);
  const makeStop = (stop) => {
    for (const button of buttons()) button.tabIndex = button === stop ? 0 : -1;
  };
  useEffect(() => {
    const all = buttons();
    if (all.filter((button) => button.tabIndex === 0).length !== 1) makeStop(all[0]);
  });
  const onKeyDown = (event) => {
    const all = buttons();
    const at = all.indexOf(event.target.closest("button"));
    const isRightToLeft = bar.current && getComputedStyle(bar.current).direction === "rtl";
    const to = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : at + (STEPS[event.key] ?? 0) * (isRightToLeft ? -1 : 1);
    if (to === at || at < 0 || !all.length) return;
    event.preventDefault();
    const next = all[(to + all.length) % all.length];
    makeStop(next);
    next.focus();
  };
  return (
    <div ref={bar} role="toolbar" aria-label={label} className={className} onKeyDown={onKeyDown}>
      {children}
    </div>
  );
}
