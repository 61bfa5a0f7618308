// Draws the diagram that the frame's parent sends, and answers with its height or with what is wrong with it.
const tellHeight = new ResizeObserver(([{ target }]) => parent.postMessage({ height: Math.ceil(target.scrollHeight) }, "*"));
addEventListener("message", async (event) => {
  if (event.source !== parent) return;
  const { text, isDark } = event.data;
  const place = document.getElementById("drawn");
  if (!globalThis.mermaid) return parent.postMessage({ error: "The built pages have Mermaid, the development server has not." }, "*");
  try {
    mermaid.initialize({ startOnLoad: false, securityLevel: "strict", suppressErrorRendering: true, theme: isDark ? "dark" : "default" });
    place.innerHTML = (await mermaid.render("diagram", text)).svg;
    tellHeight.observe(place);
  } catch (error) {
    parent.postMessage({ error: String(error?.message ?? error).slice(0, 500) }, "*");
  }
});
