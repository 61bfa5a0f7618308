// Opens the passage that the address names: what stands behind the hash is known to the browser alone.
import { useEffect } from "react";
import { useLocation, useNavigate } from "react-router";
import { clientValue, setClientValue } from "./client-values.js";
import { besideAddress, passageIn, viewerAddress } from "./viewer-address.js";

/** `opened` is the key of what the server has opened; it is empty again after the server has lost its state. */
export function AddressPassage({ documentId, opened, onOpen }) {
  const location = useLocation();
  const navigate = useNavigate();
  const { pathname, search, hash, state } = location;
  const key = `${pathname}${search}${hash}`;
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
    // Python asks for a passage of the document that is open. Beside a chat it is no step of the history: Back closes the document.
    const isBeside = new URLSearchParams(search).has("document");
    setClientValue("go_to_passage", (passage) => {
      const address = viewerAddress({ documentId, ...passage });
      if (isBeside) navigate(besideAddress(pathname, address), { replace: true, state });
      else navigate(address);
    });
    return () => setClientValue("go_to_passage", undefined);
  }, [documentId, location, navigate]);
  return null;
}

/** Show a passage of the open document. */
export const goToPassage = (passage) => clientValue("go_to_passage")?.(passage);

/** The ref of the mark of a passage. */
export const scrollToMark = (mark) => mark?.scrollIntoView({ block: "center" });
