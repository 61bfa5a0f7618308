// The keyboard behaviour of menus, tabs, lists and shortcuts: elements say what they are by attributes, so that Python can draw them.
import { setClientValue } from "./client-values.js";
import { isComposing } from "./composition.js";
import "./missing-chunk-page.js";
import "./offline.js";
import "./route-preload.js";
import "./waking.js";

const ITEMS = { menu: '[role^="menuitem"]', tablist: '[role="tab"]', listbox: '[role="option"]' };
const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
const LONG_PRESS_MS = 500;
const FIRST = "input:not([type=hidden]), select, textarea, .dialog-actions button";
const GAP = 6;
const MARGIN = 8;
const FRAMES = 20;
const LOST_FRAMES = 600;
const NEAR_END = 600;

/** The first control of this kind. @param {ParentNode | null | undefined} place @param {string} selector @returns {HTMLElement | null | undefined} */
const control = (place, selector) => place?.querySelector(selector);

/** Focus the element as soon as it is drawn, which takes some frames on a busy computer. @param {string} selector */
export function focusSoon(selector, frames = FRAMES) {
  requestAnimationFrame(() => {
    const element = control(document, selector);
    element?.focus();
    if (frames && (!element || document.activeElement !== element)) focusSoon(selector, frames - 1);
  });
}

/** How often the user has pressed a key or a button of the mouse. */
let inputs = 0;

/**
 * Focus it whenever nothing has the focus, as after a row has moved to another list: for some seconds, until the user does something.
 * @param {string} selector
 */
export function focusIfLost(selector, frames = LOST_FRAMES, before = inputs) {
  requestAnimationFrame(() => {
    if (!frames || inputs !== before) return;
    if (document.activeElement === document.body) control(document, selector)?.focus();
    focusIfLost(selector, frames - 1, before);
  });
}

/** The ref of what appears when a form was refused: its wrong field has the focus, or the button, which lost it while it was disabled. */
export const refocus = (element) => element && focusIfLost("dialog :is([aria-invalid=true], [type=submit])");

/** Focus the one after the element, which is about to go, among its like; else the one before. @param {string} going @param {string} like */
export function focusBeside(going, like) {
  const all = [...document.querySelectorAll(like)];
  const at = all.findIndex((item) => item.matches(going));
  const next = all[at + 1] ?? all[at - 1];
  requestAnimationFrame(() => control(next, "a, button")?.focus());
}

/** @param {string} selector */
export const clickOn = (selector) => control(document, selector)?.click();

/** Empty an input, and focus it. @param {string} selector */
export function clearInput(selector) {
  const input = control(document, selector);
  if (input instanceof HTMLInputElement) input.value = "";
  input?.focus();
}

/** The ref of an element that has the focus when it appears, such as the heading of the next step. */
export const focused = (element) => void element?.focus();

/** The ref of an element that is scrolled to when it appears, such as the current one of many tabs. */
export const inView = (element) => void element?.scrollIntoView({ block: "nearest", inline: "center" });

/** The same for one that is scrolled into the middle, such as a marked passage. */
export const inMiddle = (element) => void element?.scrollIntoView({ block: "center" });

/** What has the focus when an element is gone: the next row, the row before, the panel, the page's heading. */
const nearby = (row) => [row?.nextElementSibling, row?.previousElementSibling, row?.closest("section"), document.querySelector("h1")];

/** Focus the first of these that is still on the page: of a row its first control, of a panel its heading. */
function focusFirst(candidates) {
  const found = candidates.find((item) => item?.isConnected && item !== document.body);
  const target = found?.matches("li, tr") ? found.querySelector("button, a[href]") : found?.matches("section") ? found.querySelector("h2") : found;
  if (target?.matches("h1, h2")) target.tabIndex = -1;
  target?.focus();
}

/** The ref of a row that may be removed with the focus in it, which then goes to what is near. */
export const passesFocus = (row) => () => {
  if (row.contains(document.activeElement)) focusFirst(nearby(row));
};

/** The ref of a dialog: modal while it is drawn, with the focus inside it, and afterwards back where it came from. */
export function modal(dialog) {
  if (!dialog) return undefined;
  // The item of a menu stands for the button that opened the menu.
  const opener = /** @type {any} */ (document.activeElement?.closest("[popover]"))?.opener ?? document.activeElement;
  // The opener may go with the row that is deleted.
  const after = [opener, ...nearby(opener?.closest("li, tr"))];
  const { selectionStart, selectionEnd } = opener ?? {};
  dialog.showModal();
  (dialog.querySelector("[data-autofocus]") ?? dialog.querySelector(FIRST))?.focus();
  return () => {
    dialog.close();
    focusFirst(after);
    // Chromium puts the caret of a text that gets the focus back to its beginning.
    if (opener instanceof HTMLTextAreaElement) opener.setSelectionRange(selectionStart, selectionEnd);
  };
}

/** Place an open menu or card beside its button, inside the window. */
export function place(menu, button) {
  const [box, size] = [button.getBoundingClientRect(), menu.getBoundingClientRect()];
  const [side, edge] = (menu.dataset.placement ?? "bottom-end").split("-");
  const isBelow = side === "bottom" ? box.bottom + GAP + size.height <= innerHeight - MARGIN || box.top < size.height + GAP : box.top < size.height + GAP;
  const left = { end: box.right - size.width, center: (box.left + box.right - size.width) / 2 }[edge] ?? box.left;
  menu.style.left = `${Math.max(MARGIN, Math.min(left, innerWidth - MARGIN - size.width))}px`;
  menu.style.top = `${Math.max(MARGIN, isBelow ? box.bottom + GAP : box.top - GAP - size.height)}px`;
}

/** Arrow keys, Home and End in a menu, tabs or a list; `Tab` closes a menu. */
function rove(event) {
  const popover = event.target.closest("[popover]");
  const list = event.target.closest("[role=menu], [role=tablist], [role=listbox]") ?? popover?.querySelector("[role=menu]");
  if (!list) return;
  // Home, End and the arrows to the sides belong to the text of a menu's filter.
  if (event.target.matches("input") && !["ArrowDown", "ArrowUp", "Tab"].includes(event.key)) return;
  if (event.key === "Tab" && popover) return popover.hidePopover();
  // What is beside another item is reached from it, to the sides.
  const isAcross = event.key === "ArrowLeft" || event.key === "ArrowRight";
  const items = [...list.querySelectorAll(ITEMS[list.getAttribute("role")])].filter(
    (item) => !item.disabled && (isAcross || item.dataset.beside === undefined) && item.checkVisibility(),
  );
  const { activeElement: focused } = document;
  const from = !isAcross && focused?.matches("[data-beside]") ? focused.previousElementSibling : focused;
  const step = STEPS[event.key];
  const next = step ? items.at((items.indexOf(from) + step) % items.length) : { Home: items[0], End: items.at(-1) }[event.key];
  if (!next) return;
  event.preventDefault();
  next.focus();
  if (next.role === "tab") next.click();
}

const isMac = () => typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);

/** "Ctrl+B", "⌘B". @param {string} keys */
export const shortcut = (keys) => (isMac() ? `⌘${keys.replace("Shift+", "⇧")}` : `Ctrl+${keys}`);

const MODIFIERS = { ctrlKey: "Control", metaKey: "Meta", shiftKey: "Shift", altKey: "Alt" };

/** Click on the visible control that names the pressed keys (aria-keyshortcuts="Control+B Meta+B"). */
function clickShortcut(event) {
  const held = Object.keys(MODIFIERS)
    .filter((name) => event[name])
    .map((name) => MODIFIERS[name]);
  if (event.ctrlKey === event.metaKey) return;
  const keys = [...held, event.key.toUpperCase()].join("+");
  /** @type {NodeListOf<HTMLElement>} */
  const named = document.querySelectorAll(`[aria-keyshortcuts~="${CSS.escape(keys)}"]`);
  const found = [...named].find((item) => item.checkVisibility());
  if (!found) return;
  event.preventDefault();
  found.click();
}

/** "?" opens the list of shortcuts, unless it is typed into a text or a dialog is open. */
function openShortcuts({ key, target, ctrlKey, metaKey, altKey }) {
  const isText = target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
  if (key === "?" && !ctrlKey && !metaKey && !altKey && !isText && !document.querySelector("dialog:modal")) setClientValue("shortcuts", true);
}

/** Enter keeps what was typed into a field that edits in place, as leaving it does, unless it is too long; Escape does not. */
function endEditing(event) {
  if (event.key === "Escape") event.target.value = event.target.defaultValue;
  else if (!event.target.reportValidity()) return;
  event.target.blur();
}

/** Enter submits a text of several lines, where Shift+Enter makes a new one; Escape cancels. */
function submitText(event) {
  const { form } = event.target;
  if (event.key === "Enter" && !event.shiftKey) form.requestSubmit();
  else if (event.key === "Escape") form.querySelector("[data-cancels]")?.click();
  else return;
  event.preventDefault();
}

/** Enter in a combobox chooses its first option; the arrow keys lead into the list of options, and back from its beginning. */
function comboboxKeys(event) {
  const { key, target } = event;
  if (target.role === "option" && (key === "Enter" || (key === "ArrowUp" && !target.previousElementSibling))) {
    event.preventDefault();
    if (key === "Enter") target.click();
    else control(document, `[aria-controls="${target.parentElement.id}"]`)?.focus();
  }
  if (target.role !== "combobox" || target.hasAttribute("aria-activedescendant") || !["Enter", "ArrowDown"].includes(key)) return;
  event.preventDefault();
  const list = target.getAttribute("aria-controls");
  const first = control(document, `#${list} ${ITEMS.listbox}`);
  // What is listed may still belong to other words.
  if (key === "Enter" && control(document, `#${list}[aria-busy=true]`)) return;
  if (key === "Enter") first?.click();
  else first?.focus();
}

/** An arrow key opens the menu of its button; in a menu that is just opening, which takes the focus a moment later, it moves already. */
function arrowOnMenuButton(event, button) {
  event.preventDefault();
  const menu = control(document, `#${button.getAttribute("popovertarget")}`);
  if (!menu?.matches(":popover-open")) return button.click();
  const items = [...menu.querySelectorAll(ITEMS.menu)];
  const next = items.at(STEPS[event.key] % items.length);
  if (next instanceof HTMLElement) next.focus();
}

function pressed(event) {
  if (isComposing(event)) return;
  comboboxKeys(event);
  if (!event.defaultPrevented) rove(event);
  clickShortcut(event);
  openShortcuts(event);
  const { key, target } = event;
  const button = target.closest("[aria-haspopup=menu]");
  if (button && (key === "ArrowDown" || key === "ArrowUp")) arrowOnMenuButton(event, button);
  if ((key === "Enter" || key === "Escape") && target.matches("[data-edits-in-place]")) return endEditing(event);
  if (target.matches("[data-enter-submits]")) submitText(event);
  // The phone's drawer and others that are no dialog or popover of the browser.
  if (key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog:modal, :popover-open")) clickOn("[data-closes-with-escape]");
}

/** A menu that opens is placed, and has the focus; its button shows that it is open. */
function toggled({ target, newState, source }) {
  if (target.popover === null || target.role === "dialog") return;
  const opener = source ?? target.opener;
  opener?.setAttribute("aria-expanded", String(newState === "open"));
  opener?.parentElement.toggleAttribute("data-open", newState === "open");
  if (newState !== "open" || !opener) return;
  target.opener = opener;
  place(target, opener);
  if (target.contains(document.activeElement)) return;
  (target.querySelector('input, [aria-checked="true"]') ?? target.querySelector(ITEMS.menu))?.focus();
}

/** Click on the button at the end of a list that is scrolled near it; once for each page of the list. */
function loadMore({ target }) {
  const button = target.querySelector?.("[data-loads-more]");
  if (!button || button.dataset.loadsMore === button.loadedMore) return;
  if (button.getBoundingClientRect().top - target.getBoundingClientRect().bottom > NEAR_END) return;
  button.loadedMore = button.dataset.loadsMore;
  button.click();
}

/** Browsers that do not say which button opened a popover (ToggleEvent.source): the click before it does. */
function rememberOpener({ target }) {
  const button = target.closest("[popovertarget]");
  const menu = button && !button.closest("[popover]") && document.getElementById(button.getAttribute("popovertarget"));
  if (menu) menu.opener = button;
}

function focusCame({ target }) {
  if (target.matches("[data-edits-in-place], [data-selects-all]")) target.select();
  if (target.matches("[data-enter-submits]")) target.setSelectionRange(target.value.length, target.value.length);
}

/** A text that is too long stays in its field, which says so: nothing else hears of it until it is shortened. */
function refuseTooLong(event) {
  const field = event.target;
  const longest = Number(field.dataset?.longest);
  if (!longest) return;
  // The server counts characters, of which an emoji is one.
  const count = field.value.length > longest ? Array.from(field.value).length : 0;
  const [most, has] = [longest, count].map((number) => number.toLocaleString("en"));
  field.setCustomValidity(count > longest ? `Use at most ${most} characters; this text has ${has}.` : "");
  field.toggleAttribute("data-too-long", count > longest);
  if (count <= longest) return;
  event.stopImmediatePropagation();
  if (event.type !== "focusout") field.reportValidity();
}

/** An empty field says in its own words what it wants (data-missing), until something is typed. */
function sayMissing({ target }) {
  if (target.validity.valueMissing && target.dataset.missing) target.setCustomValidity(target.dataset.missing);
}

/** A list that belongs to a text field: the field keeps the focus when something in the list is pressed. */
const keepFocus = (event) => event.target.closest("[data-keeps-focus]") && event.preventDefault();

let longPress = 0;

/** A long press opens the menu of a row on touch screens, where nothing hovers. */
function touched({ target }) {
  const row = target.closest("[data-long-press]");
  if (row) longPress = window.setTimeout(() => control(row, "[aria-haspopup]")?.click(), LONG_PRESS_MS);
}

if (typeof document !== "undefined") {
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => void inputs++, true);
  document.addEventListener("scroll", loadMore, { capture: true, passive: true });
  document.addEventListener("keydown", pressed);
  document.addEventListener("toggle", toggled, true);
  document.addEventListener("click", rememberOpener, true);
  document.addEventListener("focusin", focusCame);
  document.addEventListener("mousedown", keepFocus);
  for (const kind of ["input", "change", "focusout"]) document.addEventListener(kind, refuseTooLong, true);
  document.addEventListener("invalid", sayMissing, true);
  document.addEventListener("touchstart", touched, { passive: true });
  for (const kind of ["touchend", "touchmove", "touchcancel"]) document.addEventListener(kind, () => clearTimeout(longPress), { passive: true });
}
