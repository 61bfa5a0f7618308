// Draws a page of a PDF with PDF.js, which has to be done in the browser: its picture, its words over it, its links.
import { TextLayer } from "pdfjs-dist";
import { passageRanges } from "./viewer-passage.js";
import { outboundLink } from "./words.js";

const SHARPEST = 2;

/** Links that lead out of the document; whatever else a PDF calls a link does nothing. */
async function linksOf(page, viewport) {
  const found = await page.getAnnotations({ intent: "display" });
  return found.flatMap(({ subtype, url, rect }) => {
    const href = subtype === "Link" && outboundLink(url);
    if (!href) return [];
    const [x1, y1, x2, y2] = viewport.convertToViewportRectangle(rect);
    const link = Object.assign(document.createElement("a"), { href, target: "_blank", rel: "noopener noreferrer", className: "pdf-link" });
    link.setAttribute("aria-label", href);
    Object.assign(link.style, {
      left: `${Math.min(x1, x2)}px`,
      top: `${Math.min(y1, y2)}px`,
      width: `${Math.abs(x2 - x1)}px`,
      height: `${Math.abs(y2 - y1)}px`,
    });
    return [link];
  });
}

/** The words of a page, as PDF.js has them: {content, pieces}. */
export async function wordsOf(page) {
  const content = await page.getTextContent();
  return { content, pieces: content.items.map(({ str }) => str ?? "") };
}

/** Draw a page into `host`; gives its text layer, or null if it is not wanted any more. @param {AbortSignal} signal */
export async function drawPage(page, host, width, signal) {
  const scale = width / page.getViewport({ scale: 1 }).width;
  const viewport = page.getViewport({ scale });
  const ratio = Math.min(devicePixelRatio || 1, SHARPEST);
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.floor(viewport.width * ratio), height: Math.floor(viewport.height * ratio) });
  const task = page.render({ canvas, viewport, transform: [ratio, 0, 0, ratio, 0, 0] });
  signal.addEventListener("abort", () => task.cancel());
  const [{ content }, links] = await Promise.all([wordsOf(page), linksOf(page, viewport), task.promise]);
  const container = Object.assign(document.createElement("div"), { className: "textLayer" });
  const layer = new TextLayer({ textContentSource: content, container, viewport });
  await layer.render();
  if (signal.aborted) return null;
  host.style.setProperty("--total-scale-factor", scale);
  host.style.setProperty("--page-ratio", viewport.width / viewport.height);
  host.replaceChildren(canvas, container, ...links);
  return layer;
}

/** Mark the passage on a page; gives the first mark, or undefined if the page has nothing of it. */
export function markPassage(layer, wanted) {
  const marks = passageRanges(layer.textContentItemsStr, wanted).map(({ item, from, to }) => {
    const words = layer.textContentItemsStr[item];
    const mark = Object.assign(document.createElement("mark"), { className: "passage", textContent: words.slice(from, to) });
    layer.textDivs[item].replaceChildren(words.slice(0, from), mark, words.slice(to));
    return mark;
  });
  return marks[0];
}
