// KaTeX with its style and fonts, in a file of its own that only texts with formulas load.
import katex from "katex";
import "katex/dist/katex.min.css";

// A model's macros cannot grow without end, nor be larger than the page; nothing that KaTeX calls trusted (links, images, HTML) is drawn.
const OPTIONS = { trust: false, strict: "ignore", maxExpand: 500, maxSize: 30 };

/** KaTeX's HTML as elements: the page's policy allows no style attributes, but styles that a script sets. */
function elementsOf(html) {
  // In texts KaTeX escapes the quotation mark: only attributes are found.
  const { body } = new DOMParser().parseFromString(html.replaceAll(' style="', ' data-style="'), "text/html");
  for (const element of body.querySelectorAll("[data-style]")) {
    const styled = /** @type {HTMLElement} */ (element);
    styled.style.cssText = styled.dataset.style ?? "";
    styled.removeAttribute("data-style");
  }
  return body.childNodes;
}

/** Draws a formula; one that cannot be drawn is its source. @param {HTMLElement} place @param {string} tex @param {boolean} isBlock */
export function drawFormula(place, tex, isBlock) {
  try {
    place.replaceChildren(...elementsOf(katex.renderToString(tex, { ...OPTIONS, displayMode: isBlock })));
    place.removeAttribute("title");
  } catch (error) {
    place.textContent = tex;
    place.title = `This formula cannot be drawn: ${/** @type {Error} */ (error).message}`;
  }
}
