// The page, drawing or document beside the chat. In JavaScript, since a frame is spoken to by a script, and Markdown is drawn by one.
import { lazy, Suspense, useEffect, useRef } from "react";
import { useLocation } from "react-router";
import { closeArtifact, fileOf, pageOf } from "./artifact.js";
import { clientValue } from "./client-values.js";
import { Frame } from "./frame.jsx";
import { saveText } from "./save.js";

const Markdown = lazy(() => import("./markdown.jsx"));

export function saveArtifact() {
  const artifact = clientValue("artifact");
  const { name, type } = fileOf(artifact);
  saveText(name, type, artifact.text);
}

/** It closes when another conversation or document is opened. @param {Record<string, any>} props */
export function ArtifactView({ artifact }) {
  const { pathname, search } = useLocation();
  const hasDocument = new URLSearchParams(search).has("document");
  const had = useRef(hasDocument);
  useEffect(() => closeArtifact, [pathname]);
  useEffect(() => {
    if (hasDocument && !had.current) closeArtifact();
    had.current = hasDocument;
  }, [hasDocument]);
  if (artifact.kind === "document")
    return (
      <div className="artifact-document">
        <Suspense>
          <Markdown text={artifact.text} isGrowing={false} citations={undefined} message="artifact" />
        </Suspense>
      </div>
    );
  return <Frame key={artifact.text} kind="page" text={pageOf(artifact)} title={artifact.title} fills onError={undefined} />;
}
