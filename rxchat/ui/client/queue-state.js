// Rules for queued messages whose texts are in the browser: what becomes of them.

/** As much of a waiting message as the list shows, at the least, when it is cut. */
const PREVIEW = 200;

/**
 * Of the texts {id: text} that were put aside when their messages were taken back: `offered` belong into the composer, since
 * their messages are gone, and `dropped` are the ids of all that need not be kept: they are offered, or were asked meanwhile.
 */
export function sortAside(aside, fate) {
  const ended = Object.keys(aside).filter((id) => ["asked", "gone"].includes(fate(id)));
  return { offered: ended.filter((id) => fate(id) === "gone").map((id) => aside[id]), dropped: ended };
}

/** Whether the text typed into a queued message belongs in the composer, because the message has left the queue meanwhile. */
export const isLeftBehind = (edit, fate) => !!edit && ["asked", "gone"].includes(fate(edit.id));

/** Whether the text typed into a queued message equals its current text; of a long one, only the beginning is known here. */
export function isSaved(edit, messages) {
  const said = edit && messages.find((message) => message.id === edit.id)?.text;
  const typed = edit?.text.trim();
  return !!said && (said === typed || (said.length >= PREVIEW && typed.startsWith(said)));
}
