// Loads the code of the pages that this one links to when there is nothing else to do: going there is quick, and works without a line.

const AFTER_MS = 5000;

const firstPart = (path) => path?.split("/").find(Boolean) ?? "";

/** The addresses of the modules of the pages behind these links, of those that React Router's manifest has. */
export function modulesBehind(paths, { routes }) {
  const linked = new Set(paths.map(firstPart).filter(Boolean));
  const wanted = Object.values(routes).filter(({ path }) => linked.has(firstPart(path)));
  return [...new Set(wanted.flatMap(({ module, imports }) => [module, ...imports]))];
}

function preload() {
  const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('a[href^="/"]'));
  const paths = Array.from(links, (link) => link.pathname);
  for (const href of modulesBehind(paths, window.__reactRouterManifest ?? { routes: {} })) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
  }
}

if (typeof window !== "undefined" && typeof document !== "undefined") {
  setTimeout(() => (window.requestIdleCallback ?? setTimeout)(preload), AFTER_MS);
}
