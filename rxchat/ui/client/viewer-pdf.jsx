// A PDF, page by page as they come into view, with the passage marked. No scripts, forms or attachments of it are touched.
import { GlobalWorkerOptions, getDocument } from "pdfjs-dist";
import workerUrl from "pdfjs-dist/build/pdf.worker.min.mjs?url";
import { useEffect, useRef, useState } from "react";
import { address } from "./backend.js";
import { setClientValue } from "./client-values.js";
import { passageRanges } from "./viewer-passage.js";
import { BuiltData } from "./viewer-pdf-data.js";
import { drawPage, markPassage, wordsOf } from "./viewer-pdf-page.js";

GlobalWorkerOptions.workerSrc = workerUrl;

const WIDEST = 900;
const NEAR = "900px";
const PAGES_OF_A_PASSAGE = 3;
const MOST_SEARCHED = 300;
const PIECE_BYTES = 1024 * 1024;
const PROBLEMS = {
  PasswordException: "This PDF is protected by a password. You can download it.",
  InvalidPDFException: "This PDF is damaged and cannot be shown. You can download it, or read its text.",
};
const OTHER_PROBLEM = "This PDF cannot be displayed. You can download it, or read its text.";
const SCANNED = "This page is a scan, so the passage cannot be highlighted.";
const UNMARKED = "This passage could not be found in the text of this page.";

function openPdf(documentId) {
  return getDocument({
    url: address(`/api/files/${documentId}`),
    withCredentials: true,
    rangeChunkSize: PIECE_BYTES,
    disableAutoFetch: true,
    disableStream: true,
    isEvalSupported: false,
    enableXfa: false,
    // WebAssembly wants 'wasm-unsafe-eval', which RxChat's pages do not allow: scans are shown by decoders without it (ui/build.py).
    useWasm: false,
    wasmUrl: new URL("/pdf-decoders/", location.href).href,
    useWorkerFetch: false,
    BinaryDataFactory: BuiltData,
  });
}

/** The open document, or why there is none. @returns {{ pdf?: any, ratio?: number, problem?: string }} */
function usePdf(documentId) {
  const [found, setFound] = useState({});
  useEffect(() => {
    const loading = openPdf(documentId);
    loading.promise.then(
      async (pdf) => {
        const { width, height } = (await pdf.getPage(1)).getViewport({ scale: 1 });
        setFound({ pdf, ratio: width / height });
      },
      (error) => !loading.destroyed && setFound({ problem: PROBLEMS[error.name] ?? OTHER_PROBLEM }),
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
    const watcher = new ResizeObserver(([{ contentRect }]) => setWidth(Math.min(WIDEST, Math.floor(contentRect.width))));
    watcher.observe(root.current);
    return () => watcher.disconnect();
  }, []);
  return width;
}

/** The page where the passage begins, and why it is not marked there; `near` is where it was when it was cited. */
async function findPassage(pdf, page, near, wanted) {
  const piecesOf = async (number) => (await wordsOf(await pdf.getPage(number))).pieces;
  const last = Math.min(pdf.numPages, page ? page + PAGES_OF_A_PASSAGE - 1 : MOST_SEARCHED);
  for (let number = page || 1; number <= last; number += 1) {
    if (passageRanges(await piecesOf(number), wanted).length) return { first: page || number, note: "" };
  }
  const first = page || near;
  if (!first || first > pdf.numPages) return { first, note: "" };
  const isScan = !(await piecesOf(first)).join("").trim();
  return { first, note: isScan ? SCANNED : UNMARKED };
}

/** The page to open at; Python shows why nothing is marked (ui/documents/viewer.py). */
function useFirstPage(pdf, page, near, wanted) {
  const [first, setFirst] = useState(page);
  useEffect(() => {
    let isOver = false;
    const show = (found) => {
      if (isOver) return;
      setFirst(found.first);
      setClientValue("viewer_note", found.note);
    };
    show({ first: page, note: "" });
    if (pdf && wanted) findPassage(pdf, page, near, wanted).then(show, () => {});
    return () => {
      isOver = true;
    };
  }, [pdf, page, near, wanted]);
  return first;
}

function Page({ pdf, number, ratio, width, wanted, isFirst }) {
  const place = useRef(/** @type {any} */ (null));
  useEffect(() => {
    if (isFirst) place.current.scrollIntoView({ block: "start" });
  }, [isFirst]);
  useEffect(() => {
    const host = place.current;
    let leaving = new AbortController();
    const draw = async (signal) => {
      const layer = await drawPage(await pdf.getPage(number), host, width, signal);
      const mark = layer && wanted && markPassage(layer, wanted);
      if (mark && isFirst) mark.scrollIntoView({ block: "center" });
    };
    // A page that is far away keeps nothing in memory.
    const leave = () => {
      leaving.abort();
      host.replaceChildren();
    };
    const look = (entries) => {
      leave();
      leaving = new AbortController();
      const { signal } = leaving;
      if (entries.at(-1).isIntersecting)
        draw(signal).catch((error) => signal.aborted || host.replaceChildren(`Page ${number} cannot be shown: ${error.message}`));
    };
    const watcher = new IntersectionObserver(look, /** @type {any} */ ({ rootMargin: NEAR, scrollMargin: NEAR }));
    watcher.observe(host);
    return () => {
      watcher.disconnect();
      leave();
    };
  }, [pdf, number, width, wanted, isFirst]);
  return <section ref={place} className="pdf-page" aria-label={`Page ${number}`} style={{ width, aspectRatio: `var(--page-ratio, ${ratio})` }} />;
}

export function PdfView({ documentId, page, near, wanted }) {
  const root = useRef(null);
  const width = useWidth(root);
  const { pdf, ratio, problem } = usePdf(documentId);
  const first = useFirstPage(pdf, page, near, wanted);
  const isOfPassage = (number) => first > 0 && number >= first && number < first + PAGES_OF_A_PASSAGE;
  const numbers = Array.from({ length: pdf && width ? pdf.numPages : 0 }, (_, at) => at + 1);
  return (
    <div ref={root} className="pdf">
      {problem && (
        <p role="alert" className="form-problem">
          {problem}
        </p>
      )}
      {numbers.map((number) => (
        <Page key={number} {...{ pdf, number, ratio, width }} wanted={isOfPassage(number) ? wanted : ""} isFirst={number === first} />
      ))}
    </div>
  );
}
