// Rows are picked one by one, as ranges with Shift, and by arrow keys: which keys are held, and which rows are drawn, only the browser knows.
import { clientValue, setClientValue, toggled } from "./client-values.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

let isRange = false;
/** The row that was picked last, from which a range begins. */
let anchor = "";

/** The boxes of the list that this one is in, in the order in which they are drawn. @returns {HTMLInputElement[]} */
const boxesWith = (box) => [...box.closest("[data-picking]").querySelectorAll("[data-picks]")];

/** The IDs from the anchor to this one, or this one alone. @param {string} id */
function rangeTo(id) {
  const box = document.querySelector(`[data-picks="${CSS.escape(id)}"]`);
  const ids = box && isRange ? boxesWith(box).map(({ dataset }) => dataset.picks) : [];
  const [from, to] = [ids.indexOf(anchor), ids.indexOf(id)].sort((one, other) => one - other);
  return from < 0 ? [id] : ids.slice(from, to + 1);
}

/** Pick a row, or no longer; with Shift, all from the one before to this one become what this one becomes. @param {string} name @param {string} id */
export function pick(name, id) {
  const picked = clientValue(name) ?? [];
  const range = rangeTo(id);
  const others = picked.filter((item) => !range.includes(item));
  setClientValue(name, picked.includes(id) ? others : [...others, ...range]);
  anchor = id;
}

/** Whether all of these are in the list. @param {string[]} some @param {string[]} list */
export const allIn = (some, list) => some.length > 0 && some.every((item) => list.includes(item));

/** Pick all rows that are drawn; none if all are picked. @param {string} name */
export function pickAll(name) {
  const all = [...document.querySelectorAll(`[data-picking="${CSS.escape(name)}"] [data-picks]`)].map((box) => box.getAttribute("data-picks") ?? "");
  setClientValue(name, allIn(all, clientValue(name) ?? []) ? [] : all);
}

/** Arrow keys move between the boxes, with Shift they pick on the way; Ctrl+A picks all. */
function pressed(event) {
  isRange = event.shiftKey;
  const { target, key } = event;
  if (!target.matches?.("[data-picks]")) return;
  const name = target.closest("[data-picking]").dataset.picking;
  if (key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return pickAll(name);
  }
  const boxes = boxesWith(target);
  const next = STEPS[key] && boxes[boxes.indexOf(target) + STEPS[key]];
  if (!next) return;
  event.preventDefault();
  next.focus();
  if (!event.shiftKey) return;
  for (const { dataset } of [target, next])
    if (!(clientValue(name) ?? []).includes(dataset.picks)) setClientValue(name, toggled(clientValue(name) ?? [], dataset.picks));
  anchor = next.dataset.picks;
}

function holdsShift({ shiftKey }) {
  isRange = shiftKey;
}

if (typeof document !== "undefined") {
  document.addEventListener("keydown", pressed, true);
  document.addEventListener("pointerdown", holdsShift, true);
}
