// Tells the frame's parent how high the drawing is: at once, since a frame that is out of view observes nothing, and when its width has changed.
const sendHeight = (place) => parent.postMessage({ height: Math.ceil(place.scrollHeight) }, "*");
const resized = new ResizeObserver(([{ target }]) => sendHeight(target));
// Called by the frames' own scripts. biome-ignore lint/correctness/noUnusedVariables: a script of the same page.
function tellHeight(place) {
  sendHeight(place);
  resized.observe(place);
}
