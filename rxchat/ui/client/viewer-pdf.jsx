// A PDF, page by page as they come into view, with the passage marked. No scripts, forms or attachments of it are touched.
import { useEffect, useRef, useState } from "react";
import { getDocument, GlobalWorkerOptions, TextLayer } from "pdfjs-dist";
import workerUrl from "pdfjs-dist/build/pdf.worker.min.mjs?url";
import { address } from "./backend.js";
import { setClientValue } from "./client-values.js";
import { passageRanges } from "./viewer-passage.js";
import { BuiltData } from "./viewer-pdf-data.js";
import { outboundLink } from "./words.js";

GlobalWorkerOptions.workerSrc = workerUrl;

const WIDEST = 900;
const SHARPEST = 2;
const NEAR = "900px";
const PAGES_OF_A_PASSAGE = 3;
const MOST_SEARCHED = 300;
const PIECE_BYTES = 1024 * 1024;
const PROBLEMS = {
  PasswordException: "This PDF is protected by a password. You can download it.",
  InvalidPDFException: "This PDF is damaged and cannot be shown. You can download it, or read its text.",
};
const SCANNED = "This page is a scan, so the passage cannot be highlighted.";
const UNMARKED = "This passage could not be found in the text of this page.";
const ELSE = "This PDF cannot be displayed. You can download it, or read its text.";

function openPdf(documentId) {
  return getDocument({
    url: address(`/api/files/${documentId}`),
    withCredentials: true,
    rangeChunkSize: PIECE_BYTES,
    disableAutoFetch: true,
    disableStream: true,
    isEvalSupported: false,
    enableXfa: false,
    // WebAssembly wants 'wasm-unsafe-eval', which no page of ours has: scans are shown by decoders without it (ui/build.py).
    useWasm: false,
    wasmUrl: new URL("/pdf-decoders/", location.href).href,
    useWorkerFetch: false,
    BinaryDataFactory: BuiltData,
  });
}

/** The open document, or why there is none. */
function usePdf(documentId) {
  const [found, setFound] = useState({});
  useEffect(() => {
    const loading = openPdf(documentId);
    loading.promise.then(
      async (pdf) => {
        const { width, height } = (await pdf.getPage(1)).getViewport({ scale: 1 });
        setFound({ pdf, ratio: height / width });
      },
      (error) => !loading.destroyed && setFound({ problem: PROBLEMS[error.name] ?? ELSE }),
    );
    return () => {
      setFound({});
      loading.destroy();
    };
  }, [documentId]);
  return found;
}

function useWidth(root) {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const measure = () => root.current && setWidth(Math.min(WIDEST, Math.floor(root.current.clientWidth)));
    const watcher = new ResizeObserver(measure);
    watcher.observe(root.current);
    measure();
    return () => watcher.disconnect();
  }, []);
  return width;
}

/** Links that lead out of the document, drawn over it; whatever else a PDF calls a link does nothing. */
async function linksOf(page, viewport) {
  const found = await page.getAnnotations({ intent: "display" });
  return found.flatMap(({ subtype, url, rect }) => {
    const href = subtype === "Link" && outboundLink(url);
    if (!href) return [];
    const [x1, y1, x2, y2] = viewport.convertToViewportRectangle(rect);
    const link = Object.assign(document.createElement("a"), { href, target: "_blank", rel: "noopener noreferrer", className: "pdf-link" });
    link.setAttribute("aria-label", href);
    Object.assign(link.style, { left: `${Math.min(x1, x2)}px`, top: `${Math.min(y1, y2)}px`, width: `${Math.abs(x2 - x1)}px`, height: `${Math.abs(y2 - y1)}px` });
    return [link];
  });
}

/** Draw a page into `host`; gives its text layer, or null when it is not wanted any more. */
async function draw(pdf, number, host, width, signal) {
  const page = await pdf.getPage(number);
  const scale = width / page.getViewport({ scale: 1 }).width;
  const viewport = page.getViewport({ scale });
  if (signal.aborted) return null;
  const ratio = Math.min(devicePixelRatio || 1, SHARPEST);
  const canvas = document.createElement("canvas");
  canvas.width = Math.floor(viewport.width * ratio);
  canvas.height = Math.floor(viewport.height * ratio);
  const task = page.render({ canvas, viewport, transform: [ratio, 0, 0, ratio, 0, 0] });
  signal.addEventListener("abort", () => task.cancel());
  const [content, links] = await Promise.all([page.getTextContent(), linksOf(page, viewport), task.promise]);
  const container = document.createElement("div");
  container.className = "textLayer";
  const layer = new TextLayer({ textContentSource: content, container, viewport });
  await layer.render();
  if (signal.aborted) return null;
  host.style.setProperty("--total-scale-factor", scale);
  host.style.setProperty("--page-ratio", viewport.width / viewport.height);
  host.replaceChildren(canvas, container, ...links);
  return layer;
}

/** Mark the passage on a page; gives the first mark, or null when the page has nothing of it. */
function markPassage(layer, wanted) {
  for (const { item, from, to } of passageRanges(layer.textContentItemsStr, wanted)) {
    const [piece, words] = [layer.textDivs[item], layer.textContentItemsStr[item]];
    const mark = document.createElement("mark");
    mark.className = "passage";
    mark.textContent = words.slice(from, to);
    piece.replaceChildren(words.slice(0, from), mark, words.slice(to));
  }
  return layer.textDivs.find((piece) => piece.querySelector("mark"))?.querySelector("mark") ?? null;
}

function Page({ pdf, number, ratio, width, wanted, isFirst }) {
  const host = useRef(null);
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const watcher = new IntersectionObserver(([entry]) => setNear(entry.isIntersecting), { rootMargin: NEAR });
    watcher.observe(host.current);
    return () => watcher.disconnect();
  }, []);
  useEffect(() => {
    if (isFirst) host.current.scrollIntoView({ block: "start" });
  }, [isFirst, width > 0]);
  useEffect(() => {
    if (!isNear || !width) return undefined;
    const leaving = new AbortController();
    draw(pdf, number, host.current, width, leaving.signal).then(
      (layer) => {
        const mark = layer && wanted ? markPassage(layer, wanted) : null;
        if (mark && isFirst) mark.scrollIntoView({ block: "center" });
      },
      (error) => {
        if (!leaving.signal.aborted) host.current?.replaceChildren(`Page ${number} cannot be shown: ${error.message}`);
      },
    );
    return () => {
      leaving.abort();
      // A page that is far away keeps nothing in memory.
      host.current?.replaceChildren();
    };
  }, [pdf, number, isNear, width, wanted, isFirst]);
  return <div ref={host} className="pdf-page" role="region" aria-label={`Page ${number}`} style={{ width, aspectRatio: `var(--page-ratio, ${1 / ratio})` }} />;
}

const wordsOf = async (pdf, number) => (await (await pdf.getPage(number)).getTextContent()).items.map(({ str }) => str ?? "");

/** Why nothing is marked on the pages of a passage; "" when something is, and as long as nobody knows. */
async function whyUnmarked(pdf, first, wanted) {
  const last = Math.min(pdf.numPages, first + PAGES_OF_A_PASSAGE - 1);
  let isScan = false;
  for (let number = first; number <= last; number += 1) {
    const pieces = await wordsOf(pdf, number);
    if (passageRanges(pieces, wanted).length) return "";
    if (number === first) isScan = !pieces.join("").trim();
  }
  return isScan ? SCANNED : UNMARKED;
}

/** Python shows the reason (ui/documents/viewer.py). */
function useUnmarked(pdf, first, wanted) {
  useEffect(() => {
    let isOver = false;
    setClientValue("viewer_note", "");
    const isAsked = pdf && wanted && first > 0 && first <= pdf.numPages;
    if (isAsked) whyUnmarked(pdf, first, wanted).then((reason) => !isOver && setClientValue("viewer_note", reason), () => {});
    return () => {
      isOver = true;
    };
  }, [pdf, first, wanted]);
}

/** On which page the passage begins, when nobody says. */
async function pageOf(pdf, wanted) {
  for (let number = 1; number <= Math.min(pdf.numPages, MOST_SEARCHED); number += 1) {
    if (passageRanges(await wordsOf(pdf, number), wanted).length) return number;
  }
  return 0;
}

/** `near` is where it was when it was cited: the page to open when no page has its words. */
function useFirstPage(pdf, page, near, wanted) {
  const [found, setFound] = useState(page);
  useEffect(() => {
    let isOver = false;
    setFound(page);
    if (pdf && !page && wanted) pageOf(pdf, wanted).then((number) => !isOver && setFound(number || near), () => {});
    return () => {
      isOver = true;
    };
  }, [pdf, page, near, wanted]);
  return found;
}

export default function PdfView({ documentId, page, near, wanted }) {
  const root = useRef(null);
  const width = useWidth(root);
  const { pdf, ratio, problem } = usePdf(documentId);
  const first = useFirstPage(pdf, page, near, wanted);
  useUnmarked(pdf, first, wanted);
  const isOfPassage = (number) => first > 0 && number >= first && number < first + PAGES_OF_A_PASSAGE;
  return (
    <div ref={root} className="pdf" data-tall={!pdf || undefined}>
      {problem && <p role="alert" className="form-problem">{problem}</p>}
      {!pdf && !problem && <div className="skeleton pdf-skeleton" role="status" aria-label="Loading the PDF"><i /></div>}
      {pdf && Array.from({ length: pdf.numPages }, (_, at) => (
        <Page key={at} {...{ pdf, ratio, width }} number={at + 1} wanted={isOfPassage(at + 1) ? wanted : ""} isFirst={at + 1 === first} />
      ))}
    </div>
  );
}
