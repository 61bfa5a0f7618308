// Draws the diagram that the frame's parent sends, and answers with its height or with what is wrong with it.
// A diagram's links would lead this frame away.
addEventListener("click", (event) => event.target.closest("a") && event.preventDefault());
addEventListener("message", async (event) => {
  if (event.source !== parent) return;
  const { text, isDark } = event.data;
  const place = document.getElementById("drawn");
  if (!globalThis.mermaid) return parent.postMessage({ error: "Diagrams are drawn in built pages only." }, "*");
  try {
    mermaid.initialize({ startOnLoad: false, securityLevel: "strict", suppressErrorRendering: true, theme: isDark ? "dark" : "default" });
    place.innerHTML = (await mermaid.render("diagram", text)).svg;
    tellHeight(place);
  } catch (error) {
    parent.postMessage({ error: String(error?.message ?? error).slice(0, 500) }, "*");
  }
});
