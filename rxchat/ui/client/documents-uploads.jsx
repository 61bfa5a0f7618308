// The files that are on their way into a collection. They go on while one looks at something else.
import { useEffect, useSyncExternalStore } from "react";
import { CircleCheck, Pause, Play, RotateCw, TriangleAlert, Upload, X } from "lucide-react";
import { IconButton } from "./controls.jsx";
import { spokenSize } from "./documents-words.js";
import { createUploads, isOnItsWay, overallProgress, spokenUploads } from "./uploads.js";

const CALM = 2500;
const stores = new Map();

/** The uploads into a collection, the same however often one comes back to it. */
export function uploadsOf(collectionId) {
  if (!stores.has(collectionId)) stores.set(collectionId, createUploads({ metadata: { collection: collectionId } }));
  return stores.get(collectionId);
}

export const useUploads = (uploads) => useSyncExternalStore(uploads.subscribe, uploads.snapshot, uploads.snapshot);

if (typeof window !== "undefined") {
  window.addEventListener("beforeunload", (event) => {
    if ([...stores.values()].some((uploads) => uploads.list.some(isOnItsWay))) event.preventDefault();
  });
}

const WORDS = { queued: "Queued", paused: "Paused", lost: "Connection lost: the upload will resume on its own", done: "Uploaded" };

function words({ state, progress, size, error, isThere, version }) {
  if (state === "failed") return error;
  if (isThere) return "This file already exists: nothing was added.";
  if (state === "done" && version > 1) return `Uploaded as version ${version}`;
  const percent = Math.floor(progress * 100);
  if (state === "uploading") return percent < 100 ? `${percent} % of ${spokenSize(size)}` : "Saving";
  return WORDS[state];
}

const Mark = ({ state }) => {
  const Icon = { done: CircleCheck, failed: TriangleAlert }[state] ?? Upload;
  return <Icon size={17} strokeWidth={1.75} aria-hidden="true" className="upload-mark" />;
};

function UploadRow({ item, uploads }) {
  const { key, name, state, progress, isThere } = item;
  const isEnded = state === "done" || state === "failed";
  return (
    <li className="upload" data-state={state}>
      <Mark state={state} />
      <div className="upload-words">
        <p className="upload-name">{name}</p>
        <p className="upload-state" role={state === "failed" ? "alert" : undefined}>{words(item)}</p>
        {!isEnded && <progress aria-label={`${name}: upload progress`} value={progress} max={1} />}
      </div>
      <div className="upload-actions">
        {state === "paused" && <IconButton icon={Play} size={16} className="small" label={`Go on with ${name}`} tip="Go on" side="left" onClick={() => uploads.resume(key)} />}
        {!isEnded && state !== "paused" && <IconButton icon={Pause} size={16} className="small" label={`Pause ${name}`} tip="Pause" side="left" onClick={() => uploads.pause(key)} />}
        {state === "failed" && <IconButton icon={RotateCw} size={16} className="small" label={`Try ${name} again`} tip="Try again" side="left" onClick={() => uploads.retry(key)} />}
        {(state !== "done" || isThere) && (
          <IconButton icon={X} size={16} className="small" label={isEnded ? `Dismiss ${name}` : `Cancel ${name}`} tip={isEnded ? "Dismiss" : "Cancel"} side="left" onClick={() => uploads.cancel(key)} />
        )}
      </div>
    </li>
  );
}

export function UploadList({ uploads, items }) {
  const isBusy = items.some(isOnItsWay);
  useEffect(() => {
    if (isBusy || !items.some(({ state, isThere }) => state === "done" && !isThere)) return undefined;
    const timer = setTimeout(uploads.clearDone, CALM);
    return () => clearTimeout(timer);
  }, [isBusy, items]);
  if (!items.length) return <div role="status" />;
  const summary = spokenUploads(items);
  return (
    <section className="uploads" aria-label="Uploads">
      {summary && (
        <div className="uploads-sum">
          <p role="status">{summary}</p>
          <progress aria-label="All files" value={overallProgress(items)} max={1} />
        </div>
      )}
      <ul>{items.map((item) => <UploadRow key={item.key} item={item} uploads={uploads} />)}</ul>
    </section>
  );
}
