// Shows the card of a citation beside its number: which number is pointed at, and where on the screen it is, only the browser knows.
import { ask } from "./backend.js";
import { place } from "./behaviours.js";
import { createSources } from "./citation-sources.js";
import { setClientValue } from "./client-values.js";
import { viewed } from "./page-state.js";

/** Long enough to move the pointer from the number into the card. */
const LEAVING_MS = 220;
const DESCRIBED = "aria-describedby";
let timer = 0;

/** The cards of an answer {citations, message} and the sources that its model was shown, in `data`; or {problem}. */
export const sourcesOf = createSources((message) => ask("GET", `/api/conversations/${viewed().tag}/messages/${message}/citations`));

const EMPTY = { label: "", reason: "", claim: "", note: "", name: "", place: "", before: "", quoted: "", after: "", to: "" };

/** The card of a citation, from the answer of `sourcesOf`, or without it while it is on its way. */
export function cardOf({ citations }, index, { data, problem } = /** @type {any} */ ({})) {
  const { at, number, reason, is_without_source: isWithoutSource } = citations[index];
  const found = data?.cards[index];
  // The answer may have been written again meanwhile.
  if (found?.at === at && found.number === number) return found;
  const note = problem || (data ? "This source no longer exists." : "Loading the source…");
  return { ...EMPTY, label: `Source ${number}`, reason, note: isWithoutSource ? "" : note };
}

/** The card, with the chip that it is shown for. @returns {any} */
const cardElement = () => document.getElementById("citation-card");
const openCard = () => document.querySelector("#citation-card:popover-open");
export const isShownFor = (chip) => !!openCard() && cardElement().opener === chip;

/** Close the card, unless it is shown for another chip than this. */
export function hideCard(chip = cardElement()?.opener) {
  if (!isShownFor(chip)) return;
  clearTimeout(timer);
  cardElement().hidePopover();
}

/** The same, unless the pointer comes back in time. */
export function leaveCard() {
  clearTimeout(timer);
  timer = window.setTimeout(hideCard, LEAVING_MS);
}

export const keepCard = () => clearTimeout(timer);

/** Show what the source of a citation of an answer says, after a moment. */
export function showCard(chip, index, answer, delay = 0) {
  clearTimeout(timer);
  timer = window.setTimeout(async () => {
    if (!chip.isConnected) return;
    const card = cardElement();
    const fill = (found = undefined) => {
      setClientValue("citation_card", cardOf(answer, index, found));
      requestAnimationFrame(() => place(card, chip));
    };
    fill();
    card.opener?.removeAttribute(DESCRIBED);
    chip.setAttribute(DESCRIBED, card.id);
    card.opener = chip;
    // The browser then goes with Tab from the chip into the card.
    if (!openCard()) card.showPopover({ source: chip });
    const found = await sourcesOf(answer);
    if (card.opener === chip) fill(found);
  }, delay);
}

const follow = () => openCard() && place(cardElement(), cardElement().opener);

if (typeof document !== "undefined") {
  document.addEventListener("scroll", follow, { capture: true, passive: true });
  addEventListener("resize", follow);
  document.addEventListener(
    "toggle",
    ({ target, newState }) => target === cardElement() && newState === "closed" && cardElement().opener?.removeAttribute(DESCRIBED),
    true,
  );
}
