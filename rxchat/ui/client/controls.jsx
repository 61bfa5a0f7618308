// The few controls that everything else is made of: buttons, menus, and who Escape belongs to.
import { useCallback, useEffect, useId, useRef, useState } from "react";
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
    <button
      type="button"
      aria-label={label}
      data-tip={tip ?? label}
      data-tip-side={side}
      className={`icon-button ${className}`}
      {...rest}
    >
      <Icon size={size} strokeWidth={1.75} aria-hidden="true" />
    </button>
  );
}

function moveFocus(list, step) {
  const items = [...list.querySelectorAll('[role^="menuitem"]:not([disabled])')];
  const at = items.indexOf(document.activeElement);
  items[(at + step + items.length) % items.length]?.focus();
}

function menuKeys(event, list, close) {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps) {
    event.preventDefault();
    moveFocus(list, steps[event.key]);
  } else if (event.key === "Home" || event.key === "End") {
    event.preventDefault();
    const items = list.querySelectorAll('[role^="menuitem"]');
    items[event.key === "Home" ? 0 : items.length - 1]?.focus();
  } else if (event.key === "Tab") {
    close();
  }
}

function useOutsidePress(isOpen, root, close) {
  useEffect(() => {
    if (!isOpen) return undefined;
    const press = (event) => {
      if (!root.current?.contains(event.target)) close();
    };
    document.addEventListener("pointerdown", press);
    return () => document.removeEventListener("pointerdown", press);
  }, [isOpen, close]);
}

/** A button that opens a menu. `button(props)` draws the button; children are MenuItems. */
export function Menu({ label, button, placement = "bottom-start", className = "", children }) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef(null);
  const list = useRef(null);
  const id = useId();
  const close = useCallback(() => setOpen(false), []);
  const closeAndReturn = () => {
    close();
    root.current?.querySelector("[aria-haspopup]")?.focus();
  };
  useEscape(isOpen, closeAndReturn);
  useOutsidePress(isOpen, root, close);
  useEffect(() => {
    if (!isOpen) return;
    const checked = list.current?.querySelector('[aria-checked="true"]');
    (checked ?? list.current?.querySelector('[role^="menuitem"]'))?.focus();
  }, [isOpen]);
  const props = {
    "aria-haspopup": "menu",
    "aria-expanded": isOpen,
    "aria-controls": isOpen ? id : undefined,
    onClick: () => setOpen(!isOpen),
    onKeyDown: (event) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      setOpen(true);
    },
  };
  return (
    <div ref={root} className={`menu-root ${className}`} data-open={isOpen || undefined}>
      {button(props)}
      {isOpen && (
        <div
          ref={list}
          id={id}
          role="menu"
          aria-label={label}
          data-placement={placement}
          className="menu"
          onKeyDown={(event) => menuKeys(event, list.current, close)}
          onClick={(event) => event.target.closest('[role="menuitem"],[role="menuitemradio"]') && closeAndReturn()}
        >
          {children}
        </div>
      )}
    </div>
  );
}

export function MenuItem({ icon: Icon, isChecked, isDanger, children, ...rest }) {
  const role = isChecked === undefined ? "menuitem" : "menuitemradio";
  return (
    <button
      type="button"
      role={role}
      tabIndex={-1}
      aria-checked={isChecked}
      className={`menu-item ${isDanger ? "text-danger" : ""}`}
      {...rest}
    >
      {Icon && <Icon size={16} strokeWidth={1.75} aria-hidden="true" className="shrink-0 opacity-80" />}
      {children}
    </button>
  );
}
