// A formula, drawn by KaTeX, a JavaScript library that is loaded with the first one. Until then, and where it cannot be drawn, its source is shown.
import { useLayoutEffect, useRef } from "react";

/** @type {((place: HTMLElement, tex: string, isBlock: boolean) => void) | null} */
let draw = null;
const loading = () => import("./katex.js").then((loaded) => (draw = loaded.drawFormula));

export function Formula({ tex, isBlock }) {
  const place = useRef(/** @type {any} */ (null));
  useLayoutEffect(() => {
    let isGone = false;
    if (draw) draw(place.current, tex, isBlock);
    else {
      place.current.textContent = tex;
      loading()
        .then((drawLoaded) => !isGone && drawLoaded(place.current, tex, isBlock))
        .catch(() => {});
    }
    return () => {
      isGone = true;
    };
  }, [tex, isBlock]);
  const source = isBlock ? `$$${tex}$$` : `$${tex}$`;
  if (!isBlock) return <span ref={place} className="formula" data-tex={source} translate="no" />;
  return (
    // biome-ignore lint/a11y: what scrolls has to be reached with the keyboard, and is neither a landmark nor a set of fields.
    <div ref={place} className="formula-block" data-tex={source} translate="no" tabIndex={0} role="group" aria-label="Formula" />
  );
}
