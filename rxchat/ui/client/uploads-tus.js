// One upload over the tus protocol (tus.io): in pieces, so that it goes on where it was when the line broke.
import { Upload } from "tus-js-client";
import { address } from "./backend.js";
import { isFinal, refusalIn } from "./uploads.js";

const CHUNK_BYTES = 16 * 1024 * 1024;
const DELAYS = [300, 1000, 3000];
const UNREADABLE = "This file cannot be read. Choose it again.";

const statusOf = (error) => error.originalResponse?.getStatus() ?? 0;

/** Make ready to send a file; `tell` hears how it goes. The file begins, or goes on, with `go`. */
export function tusTransfer(file, metadata, tell) {
  let documentId = "";
  let facts = {};
  const upload = new Upload(file, {
    endpoint: address("/api/uploads"),
    chunkSize: CHUNK_BYTES,
    retryDelays: DELAYS,
    storeFingerprintForResuming: false,
    metadata: { filename: file.name, ...metadata },
    onBeforeRequest: (request) => {
      request.getUnderlyingObject().withCredentials = true;
    },
    onUploadUrlAvailable: () => {
      documentId = new URL(upload.url).pathname.split("/").pop();
      tell.begun(documentId);
    },
    // What was there already is the document that counts, and the server says which.
    onAfterResponse: (_, response) => {
      documentId = response.getHeader("X-Document") || documentId;
      facts = { isThere: response.getHeader("X-Already-Exists") === "1", version: Number(response.getHeader("X-Version") ?? 1) };
    },
    onProgress: (sent, size) => tell.progress(size ? sent / size : 0),
    onShouldRetry: (error, attempt) => {
      const isWorthIt = !isFinal(statusOf(error));
      if (isWorthIt && attempt > 0) tell.lost();
      return isWorthIt;
    },
    onSuccess: () => tell.done(documentId, facts),
    onError: (error) => {
      if (!error.originalRequest) tell.failed(UNREADABLE);
      else if (isFinal(statusOf(error))) tell.failed(refusalIn(error.originalResponse.getBody(), statusOf(error)));
      else tell.lost();
    },
  });
  return {
    go: () => upload.abort().then(() => upload.start()),
    stop: () => upload.abort(),
    giveUp: () => upload.abort(true).catch(() => {}),
  };
}
