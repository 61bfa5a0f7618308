// What a model wrote to be drawn, in a page of its own: without an origin, without the network, without this page's data. Only a
// script speaks with such a page, by messages.
import { useEffect, useRef, useState } from "react";

const SMALLEST = 40;
const LARGEST = 2000;

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
export function Frame({ kind, text, title, alt = "", fills = false, onError }) {
  const frame = useRef(/** @type {HTMLIFrameElement | null} */ (null));
  const [height, setHeight] = useState(0);
  const isDark = useDark();
  const isLoaded = useRef(false);
  const send = () => isLoaded.current && frame.current?.contentWindow?.postMessage({ text, alt, isDark }, "*");
  useEffect(() => {
    const listen = ({ source, data }) => {
      if (source !== frame.current?.contentWindow || !data || fills) return;
      if (typeof data.error === "string") onError?.(data.error);
      if (typeof data.height === "number") setHeight(Math.min(LARGEST, Math.max(SMALLEST, data.height)));
    };
    addEventListener("message", listen);
    return () => removeEventListener("message", listen);
  }, [fills, onError]);
  // A page that was written is itself: it would have to be loaded again.
  useEffect(() => {
    if (!fills) send();
  }, [text, isDark]);
  return (
    <iframe
      ref={frame}
      className={fills ? "frame is-filling" : "frame"}
      src={`/frames/${kind}.html`}
      sandbox="allow-scripts"
      referrerPolicy="no-referrer"
      title={title}
      style={fills ? undefined : { height: height || 120 }}
      data-drawn={height > 0 || undefined}
      onLoad={() => {
        if (fills && isLoaded.current) return;
        isLoaded.current = true;
        send();
      }}
    />
  );
}
