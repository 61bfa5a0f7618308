// What is on its way to the server, sent again until the server has it: only the browser knows it until then.
// A frame that is lost on a half-open line is never reported; the server takes the same id once.
import { onItsWay } from "./thread-state.js";

/** How long to wait for an answer before the same is sent again. */
export const PATIENCE = 10000;

/** Attachments as the server expects them. */
const asSent = (attached) => (attached ? { ids: attached.ids, draft: attached.draft } : {});

/** Over what the `store` has on its way; `now` gives milliseconds. */
export function createOutbox(store, now = Date.now) {
  const sentAt = new Map();
  let isHeld = false;
  let send = null;
  const outbox = {
    /** Send what was never sent, and what has had no answer for too long. */
    flush() {
      if (isHeld || !send) return;
      for (const { id, text, attached } of onItsWay(store.state())) {
        if (now() - (sentAt.get(id) ?? -Infinity) < PATIENCE) continue;
        if (sentAt.has(id)) store.dispatch({ type: "doubt", id });
        sentAt.set(id, now());
        send(text, id, asSent(attached));
      }
    },
    /** Show this as sent and send it, as soon as the page is where it belongs. */
    post(id, text, attached) {
      store.dispatch({ type: "sent", id, text, attached });
      outbox.flush();
    },
    /** The page shows the conversation that messages are meant for, and `given` sends one; null while it does not. */
    sendWith(given) {
      send = given;
      outbox.flush();
    },
    /** Offline: nothing is sent until the page has loaded again, in a process that knows what it shows. */
    hold() {
      isHeld = true;
    },
    /** The page has loaded again: the process that had to answer earlier messages may be gone. */
    beginAgain() {
      isHeld = false;
      sentAt.clear();
    },
    /** The server would not take it: when the user sends it again, it goes at once. Returns what it was, for the composer. */
    refuse(id) {
      sentAt.delete(id);
      const refused = store.state().view.pending.find((sent) => sent.id === id);
      if (refused) store.dispatch({ type: "refuse", id });
      return refused;
    },
  };
  return outbox;
}
