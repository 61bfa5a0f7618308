// A picture: fetched as bytes and shown as what the server found it to be.
import { useEffect, useState } from "react";
import { address } from "./backend.js";
import { Problem } from "./form-parts.jsx";

export function PictureView({ documentId, name, mediaType }) {
  const [shown, setShown] = useState("");
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let url = "";
    const leaving = new AbortController();
    const load = async () => {
      const response = await fetch(address(`/api/files/${documentId}`), { credentials: "include", signal: leaving.signal });
      if (!response.ok) throw new Error(response.statusText);
      url = URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: mediaType }));
      setShown(url);
    };
    load().catch(() => leaving.signal.aborted || setProblem("This picture cannot be shown. You can download it."));
    return () => {
      leaving.abort();
      URL.revokeObjectURL(url);
    };
  }, [documentId, mediaType]);
  if (problem) return <Problem>{problem}</Problem>;
  return shown ? <img src={shown} alt={name} className="viewer-picture" /> : <div className="skeleton" role="status" aria-label="Loading the picture"><i /></div>;
}
