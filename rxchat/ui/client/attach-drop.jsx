// Files that are dropped anywhere on the window.
import { useEffect, useRef, useState } from "react";
import { Paperclip } from "lucide-react";

const brings = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

/** Lights the whole window while files are dragged over it. */
export function DropZone({ onFiles }) {
  const [isOver, setOver] = useState(false);
  const latest = useRef(onFiles);
  latest.current = onFiles;
  useEffect(() => {
    // A dialog is about something else.
    const isOurs = (event) => brings(event) && !document.querySelector("dialog[open]");
    const over = (event) => {
      if (!isOurs(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      setOver(true);
    };
    // It leaves the window when it enters nothing else.
    const leave = (event) => !event.relatedTarget && setOver(false);
    const drop = (event) => {
      setOver(false);
      if (!isOurs(event)) return;
      event.preventDefault();
      if (event.dataTransfer.files.length) latest.current(event.dataTransfer.files);
    };
    const end = (event) => event.key === "Escape" && setOver(false);
    const listeners = { dragenter: over, dragover: over, dragleave: leave, drop, keydown: end };
    for (const [name, listener] of Object.entries(listeners)) window.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) window.removeEventListener(name, listener);
    };
  }, []);
  if (!isOver) return null;
  return (
    <div className="drop-zone" role="status">
      <p><Paperclip size={22} strokeWidth={1.75} aria-hidden="true" /> Drop files to attach them to your message</p>
    </div>
  );
}
