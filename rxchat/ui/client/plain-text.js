// What a part of the page says in plain text, as a selection of it would be copied: only the browser lays it out.

/** Of a copy of some elements: formulas are their source again, and buttons and the like say nothing. */
function withSources(fragment) {
  for (const formula of fragment.querySelectorAll("[data-tex]")) formula.textContent = formula.dataset.tex;
  for (const control of fragment.querySelectorAll("button, iframe, .sr-only, [aria-hidden]")) control.remove();
  return fragment;
}

/** A copy of this element, in which formulas are their source. @param {Element} element @returns {any} */
export const copyOf = (element) => withSources(element.cloneNode(true));

/** The text of these nodes with the line breaks that they are shown with. @param {Node} nodes */
export function shownText(nodes) {
  const stage = document.createElement("div");
  stage.className = "off-stage";
  stage.append(nodes);
  document.body.append(stage);
  // biome-ignore lint/performance/useDomNodeTextContent: the line breaks are those of the layout.
  const text = stage.innerText;
  stage.remove();
  return text;
}

/** Copies a selection that has formulas in it: their source, and not the signs that they are drawn with. @param {any} event */
export function copyFormulas(event) {
  const selection = getSelection();
  if (!selection?.rangeCount) return;
  const range = selection.getRangeAt(0).cloneRange();
  const formulaOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement)?.closest("[data-tex]");
  const [first, last] = [formulaOf(range.startContainer), formulaOf(range.endContainer)];
  if (first) range.setStartBefore(first);
  if (last) range.setEndAfter(last);
  const chosen = range.cloneContents();
  if (!chosen.querySelector("[data-tex]")) return;
  event.preventDefault();
  const copied = document.createElement("div");
  copied.append(withSources(chosen));
  event.clipboardData.setData("text/html", copied.innerHTML);
  event.clipboardData.setData("text/plain", shownText(copied));
}
