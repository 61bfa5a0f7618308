// Registers the service worker, which shows a page of RxChat's own while the server cannot be reached (assets/service-worker.js).
// After the page itself: what it fetches must not delay it.
const register = () => navigator.serviceWorker.register("/service-worker.js").catch(() => {});

if (typeof navigator !== "undefined" && "serviceWorker" in navigator) {
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}
