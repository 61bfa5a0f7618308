// Ways to see one thing, side by side: chosen by a click or by the arrow keys (the pattern of tabs in the ARIA Authoring Practices).
import { useRef } from "react";

const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

/** `items` are [name, label]; what is shown has the id `panel-NAME` and is labelled by `tab-NAME`. */
export function Tabs({ label, items, shown, onShow }) {
  const list = useRef(null);
  const move = (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const at = items.findIndex(([name]) => name === shown);
    const [next] = items[(at + step + items.length) % items.length];
    onShow(next);
    // After what is shown now has taken the focus, if it wants it.
    requestAnimationFrame(() => list.current?.querySelector(`#tab-${next}`)?.focus());
  };
  return (
    <div ref={list} className="tabs tab-list" role="tablist" aria-label={label} onKeyDown={move}>
      {items.map(([name, words]) => (
        <button key={name} type="button" role="tab" id={`tab-${name}`} tabIndex={shown === name ? 0 : -1} aria-selected={shown === name} aria-controls={`panel-${name}`} onClick={() => onShow(name)}>{words}</button>
      ))}
    </div>
  );
}
