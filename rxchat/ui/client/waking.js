// A page that slept does not notice that its socket died meanwhile: when it wakes, it asks, and does not wait for time-outs.

// Socket.IO packets of Reflex's namespace: the question, and how the answer begins.
const PING = '42/_event,["ping"]';
const PONG = '42/_event,["ping",';
/** An answer that takes longer than this will not come. */
export const PATIENCE_MS = 1_000;
const TICK_MS = 2_000;
/** Ticks that are this late mean that the machine or the page slept. */
const SLEPT_MS = 6_000;

/** Watches one socket at a time. `later(act, ms)` gives a function that calls it off. */
export function createLiveness({ later }) {
  /** @type {WebSocket | null} */
  let socket = null;
  /** @type {(() => void) | null} */
  let callOff = null;
  const answered = () => {
    callOff?.();
    callOff = null;
  };
  const giveUp = () => {
    const dead = socket;
    answered();
    socket = null;
    if (!dead) return;
    /** @type {any} */
    const tell = dead.onclose;
    // Its own closing handshake would take until the network's time-out, too.
    dead.onclose = dead.onerror = dead.onmessage = null;
    tell?.({ type: "close", code: 1006, reason: "no answer after waking", wasClean: false });
    dead.close();
  };
  return {
    /** This is the socket in use now. */
    use(next) {
      if (next === socket) return;
      answered();
      socket = next;
      next.addEventListener("message", ({ data }) => {
        if (next === socket && typeof data === "string" && data.startsWith(PONG)) answered();
      });
    },
    /** Ask for a response from the other end; without one, the socket's owner sees it as closed at once. */
    check() {
      if (socket === null || callOff !== null || socket.readyState !== 1) return;
      callOff = later(giveUp, PATIENCE_MS);
      socket.send(PING);
    },
  };
}

/** Calls `woke` when ticks were so late that the page or the machine must have slept. Gives what to do at each tick. */
export function createSleepDetector({ now, woke }) {
  let last = now();
  return () => {
    const slept = now() - last > SLEPT_MS;
    last = now();
    if (slept) woke();
  };
}

/** Watch this page's own socket, whichever that is. */
export function watchSocket(window) {
  const { document, WebSocket } = window;
  const liveness = createLiveness({
    later(act, ms) {
      const timer = window.setTimeout(act, ms);
      return () => window.clearTimeout(timer);
    },
  });
  // Reflex keeps its socket to itself; whatever it sends through passes here.
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    if (this.url.includes("/_event")) liveness.use(this);
    return send.call(this, data);
  };
  const wakeIfShown = () => document.visibilityState === "visible" && liveness.check();
  document.addEventListener("visibilitychange", wakeIfShown);
  document.addEventListener("resume", () => liveness.check());
  window.addEventListener("online", () => liveness.check());
  window.setInterval(createSleepDetector({ now: () => Date.now(), woke: wakeIfShown }), TICK_MS);
}

if (typeof window !== "undefined" && typeof document !== "undefined") watchSocket(window);
