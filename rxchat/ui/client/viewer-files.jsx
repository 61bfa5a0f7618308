// What the browser has to draw of a file itself: pictures as bytes, and PDFs by PDF.js, which is large and loaded for PDFs only.
import { lazy, Suspense, useEffect, useState } from "react";
import { address } from "./backend.js";

const Pdf = lazy(() => import("./viewer-pdf.jsx"));

const Loading = ({ label, className = "" }) => (
  <div className={`skeleton ${className}`} role="status" aria-label={label}>
    <i />
  </div>
);

export const PdfView = (props) => (
  <Suspense fallback={<Loading label="Loading the PDF" className="pdf-skeleton" />}>
    <Pdf {...props} />
  </Suspense>
);

/** A picture, shown as what the server found it to be. */
export function PictureView({ documentId, name, mediaType }) {
  const [shown, setShown] = useState("");
  const [isBroken, setBroken] = useState(false);
  useEffect(() => {
    let url = "";
    const leaving = new AbortController();
    const load = async () => {
      const response = await fetch(address(`/api/files/${documentId}`), { credentials: "include", signal: leaving.signal });
      if (!response.ok) throw new Error(response.statusText);
      url = URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: mediaType }));
      setShown(url);
    };
    load().catch(() => leaving.signal.aborted || setBroken(true));
    return () => {
      leaving.abort();
      URL.revokeObjectURL(url);
    };
  }, [documentId, mediaType]);
  if (isBroken)
    return (
      <p role="alert" className="form-problem">
        This picture cannot be shown. You can download it.
      </p>
    );
  return shown ? <img src={shown} alt={name} className="viewer-picture" /> : <Loading label="Loading the picture" />;
}
