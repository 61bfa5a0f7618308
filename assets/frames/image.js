// Shows the image that the frame's parent names, and answers with its height or that it cannot be loaded.
// At once, too: a frame that is out of view is not drawn, and observes nothing.
const tell = (place) => parent.postMessage({ height: Math.ceil(place.scrollHeight) }, "*");
const resized = new ResizeObserver(([{ target }]) => tell(target));
addEventListener("message", (event) => {
  if (event.source !== parent) return;
  const place = document.getElementById("drawn");
  const image = Object.assign(new Image(), { referrerPolicy: "no-referrer", alt: event.data.alt });
  image.onload = () => {
    tell(place);
    resized.observe(place);
  };
  image.onerror = () => parent.postMessage({ error: "The image could not be loaded." }, "*");
  place.replaceChildren(image);
  image.src = event.data.text;
});
