// Looking through a long document for a passage, piece by piece. No React in here, so that it can be tested alone.
import { placeIn, points } from "./viewer-passage.js";

/** So much text is shown before a passage. */
export const LEAD = 5000;
const OVERLAP = 2000;
const MOST_PIECES = 60;

/**
 * {piece, place}: the piece of a document that has the passage, or its first one and no place when none has. `fetchFrom(start)` gives
 * pieces as the server does; undefined when it does not.
 */
export async function pieceWith(passage, fetchFrom) {
  const { data: first } = await fetchFrom(0);
  let data = first;
  for (let count = 0; data && count < (passage.quote ? MOST_PIECES : 1); count += 1) {
    const place = placeIn(data, passage);
    if (place) return { piece: (await fetchFrom(Math.max(0, place.start - LEAD))).data ?? data, place };
    const end = data.start + points(data.text);
    if (!data.text || end >= data.characters) break;
    ({ data } = await fetchFrom(Math.max(data.start + 1, end - OVERLAP)));
  }
  return data && { piece: first, place: null };
}
