// Drafts on other devices: what is typed here is newer than what the server has, and only the browser knows what is typed.
import { useEffect, useRef } from "react";
import { drafts } from "./page-state.js";

const PAUSE_MS = 1000;
const LONGEST = 10_000;

/**
 * Saves what is typed a moment after the last key, and shows what another device has saved; never in place of what was typed here.
 * @param {{ currentUser: string, conversation: string, text: string, show: (text: string) => void, loaded: { conversation: string, text: string, number: number },
 *   saved: string, onLoad: (conversation: string) => void, onSave: (conversation: string, text: string, name: string) => void }} props
 */
export function useDraftSync({ currentUser, conversation, text, show, loaded, saved, onLoad, onSave }) {
  const sent = useRef(/** @type {Map<string, { conversation: string, text: string }>} */ (new Map()));
  const isUsed = !!currentUser && !!conversation;

  const save = () => {
    const draft = drafts.load(currentUser, conversation);
    // One that is too long stays here.
    if (!drafts.isUnsaved(currentUser, conversation) || Array.from(draft).length > LONGEST) return;
    const name = crypto.randomUUID();
    sent.current.set(name, { conversation, text: draft });
    onSave(conversation, draft, name);
  };

  useEffect(() => {
    if (!isUsed) return undefined;
    onLoad(conversation);
    const hide = () => document.hidden && save();
    document.addEventListener("visibilitychange", hide);
    return () => {
      document.removeEventListener("visibilitychange", hide);
      save();
    };
  }, [currentUser, conversation]);

  useEffect(() => {
    if (!isUsed) return undefined;
    // A message that was sent leaves no draft on other devices.
    const timer = setTimeout(save, text ? PAUSE_MS : 0);
    return () => clearTimeout(timer);
  }, [currentUser, conversation, text]);

  useEffect(() => {
    if (!isUsed || !loaded.number || loaded.conversation !== conversation) return;
    if (drafts.isUnsaved(currentUser, conversation)) return;
    const isOther = loaded.text !== drafts.load(currentUser, conversation);
    drafts.receive(currentUser, conversation, loaded.text);
    if (isOther) show(loaded.text);
  }, [loaded.number]);

  useEffect(() => {
    const known = sent.current.get(saved);
    if (!known) return;
    sent.current.delete(saved);
    drafts.markSaved(currentUser, known.conversation, known.text);
  }, [saved]);
}
