// Shows the page that the frame's parent sends. This document has no origin, and its policy lets it load nothing.
addEventListener(
  "message",
  (event) => {
    if (event.source !== parent) return;
    // A policy does not keep these from the network in every browser.
    for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection"]) delete globalThis[name];
    document.open();
    document.write(event.data.text);
    document.close();
  },
  { once: true },
);
