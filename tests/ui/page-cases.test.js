// The cases that the page and its Python model (tests/support/page.py) both pass. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { EMPTY_THREAD, reduce, textOf } from "../../rxchat/ui/client/thread-state.js";
import cases from "../support/page_cases.json";

/** What each kind of step is to the reducer. */
const EVENTS = {
  patch: (patch) => ({ type: "patch", patch, tag: "c1" }),
  packet: (packet) => ({ type: "packet", packet }),
  sent: (id, text) => ({ type: "sent", id, text }),
  doubt: (id) => ({ type: "doubt", id }),
  accept: (id) => ({ type: "accept", id }),
  refuse: (id) => ({ type: "refuse", id }),
  waits: (waiting) => ({ type: "waits", waiting }),
  connected_again: () => ({ type: "reconnect" }),
  leave: () => ({ type: "leave" }),
};

/** A state that cannot be changed, so that a reducer that is not pure fails. */
const frozen = (value) => {
  if (value && typeof value === "object" && !Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
};

describe("the cases of the protocol", () => {
  for (const { name, steps, shows } of cases) {
    test(name, () => {
      const state = steps.reduce((before, [step, ...values]) => frozen(reduce(before, EVENTS[step](...values))), EMPTY_THREAD);
      const { messages, pending, older } = state.view;
      const shown = messages.map(({ id, state: is, text }) => [id, is, is === "running" ? textOf(state, id).text : text]);
      expect({ messages: shown, pending: pending.map(({ id }) => id), older, resyncs: state.resyncs, more: state.mores }).toEqual(shows);
    });
  }
});
