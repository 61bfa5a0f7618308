// What a block of code is a preview of: a page, a drawing, a document. The panel beside the chat shows the one that was opened.
import { AppWindow, FileText, Image } from "lucide-react";
import { setClientValue } from "./client-values.js";
import { closeBeside, returnTo } from "./viewer-beside.jsx";

export const NO_ARTIFACT = { kind: "", text: "", title: "" };
const KINDS = { html: "page", htm: "page", xhtml: "page", svg: "drawing", xml: "drawing", markdown: "document", md: "document", mdx: "document" };
const WORDS = {
  page: { icon: AppWindow, title: "Page", name: "page.html", type: "text/html" },
  drawing: { icon: Image, title: "Drawing", name: "drawing.svg", type: "image/svg+xml" },
  document: { icon: FileText, title: "Document", name: "document.md", type: "text/markdown" },
};
const CENTRED = "<!doctype html><style>body{margin:0;min-height:100vh;display:grid;place-items:center}svg{max-width:100%;max-height:100vh}</style>";

/** What a reader can open of a block: {icon, open}, or null. @param {string} language @param {string} code */
export function previewOf(language, code) {
  const kind = Object.hasOwn(KINDS, language.toLowerCase()) ? KINDS[language.toLowerCase()] : "";
  if (!kind || (kind === "drawing" && !/^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--[\s\S]*?-->\s*)*<svg[\s>]/i.test(code))) return null;
  const { icon, title } = WORDS[kind];
  const open = (event) => {
    if (new URLSearchParams(location.search).has("document")) closeBeside();
    returnTo(event.currentTarget);
    setClientValue("artifact", { kind, title, text: code });
  };
  return { icon, open };
}

/** The page that a frame shows for it. */
export const pageOf = ({ kind, text }) => (kind === "drawing" ? CENTRED + text : text);

/** The file that it is saved as: {name, type}. */
export const fileOf = ({ kind }) => WORDS[kind];

export const closeArtifact = () => setClientValue("artifact", NO_ARTIFACT);
