// Shows the image that the frame's parent names, and answers with its height or that it cannot be loaded.
addEventListener("message", (event) => {
  if (event.source !== parent) return;
  const place = document.getElementById("drawn");
  const image = Object.assign(new Image(), { referrerPolicy: "no-referrer", alt: event.data.alt });
  image.onload = () => tellHeight(place);
  image.onerror = () => parent.postMessage({ error: "The image could not be loaded." }, "*");
  place.replaceChildren(image);
  image.src = event.data.text;
});
