// Where the passage of an address stands now: where it was, elsewhere in a document that was read again, or nowhere.
import { useEffect, useMemo, useState } from "react";
import { placeIn } from "./viewer-passage.js";
import { pieceWith } from "./viewer-pieces.js";

/**
 * {piece, passage, isChanged, isLooking}: what to show of a document, and the passage where it stands in it. `isChanged` means that
 * its words are not there any more; what cannot be looked up is shown without a mark.
 */
export function useWhere(data, asked, fetchFrom) {
  const { start, end, page, quote } = asked;
  const isNaming = end > start || !!quote;
  const here = useMemo(() => (isNaming ? placeIn(data, asked) : null), [data, start, end, quote]);
  const isLost = isNaming && !here && data.characters > 0;
  const [found, setFound] = useState({});
  const search = isLost ? [data.document.id, data.characters, start, end, quote].join(" ") : "";
  useEffect(() => {
    if (!isLost) return undefined;
    let isOver = false;
    const keep = (answer) => !isOver && setFound({ search, answer });
    pieceWith(asked, fetchFrom).then(keep, () => keep());
    return () => {
      isOver = true;
    };
  }, [search]);
  const at = (place) => ({ ...place, page: place.start === start || !end ? page : 0, near: page, quote });
  if (here) return { piece: data, passage: at(here) };
  const nowhere = { start: 0, end: 0, page, near: page, quote: isLost ? "" : quote };
  if (!isLost) return { piece: data, passage: nowhere };
  if (found.search !== search) return { piece: data, passage: nowhere, isLooking: true };
  if (!found.answer) return { piece: data, passage: nowhere };
  const { piece, place } = found.answer;
  return { piece: { ...data, start: piece.start, text: piece.text }, passage: place ? at(place) : nowhere, isChanged: !place };
}
