// The cases that the page and its Python model (tests/support/page.py) both pass. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { createThread } from "../../rxchat/ui/client/thread-state.js";
import cases from "../support/page_cases.json";

/** The thread, and what each kind of step does to it. */
function opened() {
  const asked = { resyncs: 0, more: 0 };
  const thread = createThread();
  const resync = () => (asked.resyncs += 1);
  const steps = {
    patch: (patch) => thread.patch(patch, "c1", resync, () => (asked.more += 1)),
    packet: (packet) => thread.packet(packet, resync),
    sent: (id, text) => thread.sent(id, text),
    doubt: (id) => thread.doubt(id),
    accept: (id) => thread.accept(id, resync),
    refuse: (id) => thread.refuse(id),
    waits: (waiting) => thread.waits(waiting),
    connected_again: () => thread.forgetRequests(),
    leave: () => thread.leave(),
  };
  return { thread, asked, steps };
}

describe("the cases of the protocol", () => {
  for (const { name, steps: given, shows } of cases) {
    test(name, () => {
      const { thread, asked, steps } = opened();
      for (const [step, ...values] of given) steps[step](...values);
      const { messages, pending, older } = thread.view();
      const shown = messages.map(({ id, state, text }) => [id, state, state === "running" ? thread.text(id).text : text]);
      expect({ messages: shown, pending: pending.map(({ id }) => id), older, ...asked }).toEqual(shows);
    });
  }
});
