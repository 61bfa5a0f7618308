// How far a document has come, in words.

const STEPS = { uploading: "Uploading", stored: "Reading", parsed: "Splitting into passages", embedded: "Almost ready", ready: "Ready" };

/** Whether text on pictures is being recognised, which takes long enough to be followed. */
export const isRecognised = ({ state, percent }) => state === "stored" && percent > 0;

/** How far a document has come, in words. */
export function stateWords({ state, percent, error }) {
  if (state === "failed") return error ? `Failed: ${error}` : "Failed";
  if (isRecognised({ state, percent })) return `Recognizing text ${percent} %`;
  if (state === "chunked") return `Embedding ${percent} %`;
  return STEPS[state] ?? "Waiting";
}
