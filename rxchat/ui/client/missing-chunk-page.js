// Listens for parts of the page that do not come, and does what missing-chunk.js says.
import { createRecovery } from "./missing-chunk.js";
import { setClientValue } from "./client-values.js";

if (typeof window !== "undefined" && typeof document !== "undefined") {
  const recover = createRecovery({
    storage: { getItem: (key) => sessionStorage.getItem(key), setItem: (key, value) => sessionStorage.setItem(key, value) },
    // React Router's name for one build of the pages.
    version: () => window.__reactRouterManifest?.version ?? "unknown",
    answers: async () => (await fetch(location.href, { cache: "no-store", credentials: "include" })).ok,
    reload: () => location.reload(),
    tell: (words) => setClientValue("problem_toast", words),
  });
  // Vite says so for each dynamic import that fails; pages themselves are React Router's, which reloads by itself.
  window.addEventListener("vite:preloadError", () => recover());
}
