// Shows a page of RxChat's own while the server cannot be reached, where the browser would show an error. It keeps no other page and no data.
const CACHE = "offline-1";
const FILES = ["/offline.html", "/offline.css", "/mark.svg"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  const removeOthers = async () => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
    // Pages load as fast as without a service worker.
    await self.registration.navigationPreload?.enable();
  };
  event.waitUntil(removeOthers());
});

self.addEventListener("fetch", (event) => {
  const { mode, method, url } = event.request;
  const path = new URL(url).pathname;
  if (mode === "navigate" && method === "GET" && !path.startsWith("/api/")) event.respondWith(page(event));
  else if (FILES.includes(path)) event.respondWith(fetch(event.request).catch(() => caches.match(path)));
});

async function page(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await caches.match("/offline.html")) ?? Response.error();
  }
}
