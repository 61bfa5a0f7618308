// The title of the browser's tab: it changes with what a page shows, and Reflex sets one for each route only.
import { useEffect } from "react";

export function PageTitle({ title }) {
  useEffect(() => {
    document.title = title ? `${title} · RxChat` : "RxChat";
  }, [title]);
  return null;
}
