// What a model wrote to be drawn, in a page of its own: without an origin, without this page's data, and with nothing that its policy
// lets it load. Only a script speaks with such a page, by messages.
import { useEffect, useRef, useState } from "react";

const SMALLEST = 40;
const LARGEST = 2000;
const PATIENCE_MS = 20_000;

const isDarkNow = () => document.documentElement.classList.contains("dark");

/** Whether the page is dark, also after it changed. */
function useDark() {
  const [isDark, setDark] = useState(isDarkNow);
  useEffect(() => {
    const watch = new MutationObserver(() => setDark(isDarkNow()));
    watch.observe(document.documentElement, { attributeFilter: ["class"] });
    return () => watch.disconnect();
  }, []);
  return isDark;
}

/**
 * One of the pages in assets/frames. `onError` gets what it could not do; one without a height of its own (`fills`) is as high as its place.
 * @param {Record<string, any>} props
 */
export function Frame({ kind, text, title, alt = "", fills = false, takesFocus = false, onError }) {
  const frame = useRef(/** @type {HTMLIFrameElement | null} */ (null));
  const [height, setHeight] = useState(0);
  const isDark = useDark();
  const isLoaded = useRef(false);
  const waits = useRef(0);
  const send = () => isLoaded.current && frame.current?.contentWindow?.postMessage({ text, alt, isDark }, "*");
  useEffect(() => {
    const listen = ({ source, data }) => {
      if (source !== frame.current?.contentWindow || !data || fills) return;
      clearTimeout(waits.current);
      if (typeof data.error === "string") onError?.(data.error);
      if (typeof data.height === "number") setHeight(Math.min(LARGEST, Math.max(SMALLEST, data.height)));
    };
    addEventListener("message", listen);
    return () => removeEventListener("message", listen);
  }, [fills, onError]);
  useEffect(() => () => clearTimeout(waits.current), []);
  useEffect(() => {
    if (kind === "diagram") send();
  }, [text, isDark]);
  useEffect(() => {
    if (takesFocus) frame.current?.focus();
  }, [takesFocus]);
  return (
    <iframe
      ref={frame}
      className={fills ? "frame is-filling" : "frame"}
      src={`/frames/${kind}.html`}
      sandbox="allow-scripts"
      loading={fills ? "eager" : "lazy"}
      referrerPolicy="no-referrer"
      title={title}
      style={fills ? undefined : { height: height || 120 }}
      data-drawn={height > 0 || undefined}
      onLoad={() => {
        // Once it is loaded, only what it shows itself can load something else.
        if (isLoaded.current) return;
        isLoaded.current = true;
        if (!fills) waits.current = setTimeout(() => onError?.("It took too long."), PATIENCE_MS);
        send();
      }}
    />
  );
}
