// What is on its way to the server: it is sent again until the server is known to have it. A frame that is lost on a
// half-open line is never reported, and the server takes the same id once.

import { asSent } from "./attach-state.js";

/** How long to wait for an answer before the same is sent again. */
export const PATIENCE = 10000;

/** Over what `thread` has on its way; `now` gives milliseconds. */
export function createOutbox(thread, now = Date.now) {
  const sentAt = new Map();
  let isHeld = false;
  return {
    /** Send what was never sent, and what has had no answer for too long. */
    flush(send) {
      if (isHeld) return;
      for (const { id, text, attached } of thread.onItsWay()) {
        if (now() - (sentAt.get(id) ?? -Infinity) < PATIENCE) continue;
        if (sentAt.has(id)) thread.doubt(id);
        sentAt.set(id, now());
        send(text, id, asSent(attached));
      }
    },
    /** The line is gone: nothing is sent until the page has begun anew, in a process that knows what it shows. */
    hold() {
      isHeld = true;
    },
    /** The page began anew: who was to answer what was sent before may be gone. */
    beginAgain() {
      isHeld = false;
      sentAt.clear();
    },
    /** The server would not take it: when the person sends it again, it goes at once. */
    forget(id) {
      sentAt.delete(id);
    },
  };
}
