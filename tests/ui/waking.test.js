// A page that wakes with a dead socket, without a browser. Run by test_client.py.
import { describe, expect, test } from "bun:test";
import { createLiveness, createSleepDetector } from "../../rxchat/ui/client/waking.js";

/** A socket, and a clock that runs when it is told to. */
function line() {
  const sent = [];
  const closed = [];
  const listeners = [];
  let due = null;
  const socket = {
    readyState: 1,
    send: (data) => sent.push(data),
    close: () => closed.push("by us"),
    onclose: (event) => closed.push(event.reason),
    addEventListener: (_, listener) => listeners.push(listener),
  };
  const liveness = createLiveness({
    later: (act) => {
      due = act;
      return () => (due = null);
    },
  });
  liveness.use(socket);
  const hear = (data) => {
    for (const listener of listeners) listener({ data });
  };
  return { liveness, socket, sent, closed, hear, wait: () => due?.() };
}

describe("a page that wakes", () => {
  test("asks once, and goes on when it is answered", () => {
    const { liveness, sent, closed, hear, wait } = line();
    liveness.check();
    liveness.check();
    expect(sent).toEqual(['42/_event,["ping"]']);
    hear('42/_event,["ping","pong"]');
    wait();
    expect(closed).toEqual([]);
    liveness.check();
    expect(sent.length).toBe(2);
  });

  test("takes what arrived while it slept for no answer", () => {
    const { liveness, closed, hear, wait } = line();
    liveness.check();
    hear('42/_event,["event",{"delta":{}}]');
    wait();
    expect(closed).toEqual(["no answer after waking", "by us"]);
  });

  test("does not disturb a socket that is opening or closed, or none", () => {
    const { liveness, socket, sent } = line();
    socket.readyState = 0;
    liveness.check();
    createLiveness({ later: () => () => {} }).check();
    expect(sent).toEqual([]);
  });

  test("forgets the question to a socket that was replaced meanwhile", () => {
    const { liveness, closed, wait } = line();
    const next = line().socket;
    liveness.check();
    liveness.use(next);
    wait();
    expect(closed).toEqual([]);
  });

  test("knows from late ticks that it slept", () => {
    let time = 0;
    let wakings = 0;
    const tick = createSleepDetector({ now: () => time, woke: () => (wakings += 1) });
    for (time of [2_000, 4_000, 14_500, 16_500]) tick();
    expect(wakings).toBe(1);
  });
});
