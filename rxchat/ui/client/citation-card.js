// Shows the card of a citation beside its number: which number is pointed at, and where on the screen it is, only the browser knows.
import { ask } from "./backend.js";
import { place } from "./behaviours.js";
import { createSources } from "./citation-sources.js";
import { cardOf } from "./citation-words.js";
import { setClientValue } from "./client-values.js";
import { viewed } from "./page-state.js";

/** Long enough to move the pointer from the number into the card. */
const LEAVING_MS = 220;
const DESCRIBED = "aria-describedby";
let timer = 0;

/** What the model of an answer {citations, message} was shown: {data} or {problem}. */
export const sourcesOf = createSources((message) => ask("GET", `/api/conversations/${viewed().tag}/messages/${message}/sources`));

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

/** Show what the source of a citation says, after a moment. */
export function showCard(chip, citation, answer, delay = 0) {
  clearTimeout(timer);
  timer = window.setTimeout(async () => {
    if (!chip.isConnected) return;
    const card = cardElement();
    const fill = (found) => {
      setClientValue("citation_card", cardOf(citation, found));
      requestAnimationFrame(() => place(card, chip));
    };
    fill({});
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

document.addEventListener("scroll", follow, { capture: true, passive: true });
addEventListener("resize", follow);
document.addEventListener(
  "toggle",
  ({ target, newState }) => target === cardElement() && newState === "closed" && cardElement().opener?.removeAttribute(DESCRIBED),
  true,
);
