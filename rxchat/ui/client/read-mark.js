// A finished answer counts as read once the page that shows it is seen: only the browser knows whether it is.
import { useEffect } from "react";

/** Says up to which event the conversation was seen; shows nothing. @param {{ conversation: string, seq: number, onRead: (conversation: string, seq: string) => void }} props */
export function ReadMark({ conversation, seq, onRead }) {
  useEffect(() => {
    if (!conversation || !seq) return undefined;
    const see = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", see);
      onRead(conversation, String(seq));
    };
    document.addEventListener("visibilitychange", see);
    see();
    return () => document.removeEventListener("visibilitychange", see);
  }, [conversation, seq]);
  return null;
}
