// Opens the passage that the address names: what stands behind the hash is known to the browser alone.
import { useEffect } from "react";
import { useLocation, useNavigate } from "react-router";
import { clientValue, setClientValue } from "./client-values.js";
import { passageIn, viewerAddress } from "./viewer-address.js";

/** `opened` is the key of what the server has opened; it is empty again after the server has lost its state. */
export function AddressPassage({ documentId, opened, onOpen }) {
  const location = useLocation();
  const navigate = useNavigate();
  const key = `${location.pathname}${location.search}${location.hash}`;
  useEffect(() => {
    if (opened === key) return;
    setClientValue("viewer_note", "");
    onOpen(key, documentId, passageIn(location));
  }, [key, opened === "" || opened === key]);
  useEffect(() => {
    setClientValue("viewer_tab", "Document");
    setClientValue("viewer_versions_open", false);
    setClientValue("viewer_reading_open", false);
  }, [documentId]);
  useEffect(() => {
    // Python asks for a passage of the document that is open.
    setClientValue("go_to_passage", (passage) => navigate(viewerAddress({ documentId, ...passage })));
    return () => setClientValue("go_to_passage", undefined);
  }, [documentId, navigate]);
  return null;
}

/** Show a passage of the open document, as a step of the browser's history. */
export const goToPassage = (passage) => clientValue("go_to_passage")?.(passage);

/** The ref of the mark of a passage. */
export const scrollToMark = (mark) => mark?.scrollIntoView({ block: "center" });
