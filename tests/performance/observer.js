// Runs in the page before its own scripts: notes when things can be seen, by the machine's clock in milliseconds.
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const bench = { since: 0, enteredAt: 0, clickedAt: 0, placedAt: {}, seenAt: {}, shownAt: {} };
  window.__bench = bench;
  const STAMP = /\b1\d{12}\b/g;
  let fresh = [];

  /** Forget what was noted, and take no notice of tokens that were written before. */
  bench.begin = () => Object.assign(bench, { since: now(), placedAt: {}, seenAt: {} });

  // A frame's callback runs before it is painted; a message posted there is handled after.
  const afterPaint = (then) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => then(now());
      port2.postMessage(0);
    });

  const look = () => {
    const answers = document.querySelectorAll(".message-answer");
    const answer = answers[answers.length - 1];
    // Not what stands around the text: the model's name and the figures below end and begin with digits.
    const text = (answer?.querySelector(".md") ?? answer)?.textContent ?? "";
    const isFirst = fresh.length === 0;
    for (const [stamp] of text.matchAll(STAMP)) {
      if (stamp < bench.since || bench.placedAt[stamp]) continue;
      bench.placedAt[stamp] = now();
      fresh.push(stamp);
    }
    if (isFirst && fresh.length) {
      afterPaint((at) => {
        for (const stamp of fresh) bench.seenAt[stamp] = at;
        fresh = [];
      });
    }
  };

  const isInView = (element) => {
    const box = element.getBoundingClientRect();
    return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
  };

  /** Note when a rendered paragraph with these words is in view. */
  bench.awaitWords = (words) => {
    const check = () => {
      const found = [...document.querySelectorAll(".md p")].reverse().find((item) => item.textContent.includes(words));
      if (found && isInView(found)) afterPaint((at) => (bench.shownAt[words] = at));
      else requestAnimationFrame(check);
    };
    check();
  };

  addEventListener("keydown", (event) => {
    if (event.key === "Enter") bench.enteredAt = performance.timeOrigin + event.timeStamp;
  }, true);
  addEventListener("click", (event) => (bench.clickedAt = performance.timeOrigin + event.timeStamp), true);
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
})();
