// Drafts on other devices: only the browser knows what is typed here, so only it can put both texts together.
import { useEffect, useRef } from "react";
import { createDraftSaves } from "./draft-saves.js";
import { drafts } from "./page-state.js";

const PAUSE_MS = 1000;

/**
 * Saves what is typed a moment after the last key, and shows what another device has saved; never in place of what was typed here.
 * @param {{ currentUser: string, conversation: string, text: string, show: (text: string) => void, showBoth: (text: string) => void,
 *   loaded: { conversation: string, text: string, number: number }, saved: { name: string, is_saved: boolean, other: string },
 *   onLoad: (conversation: string) => void, onSave: (conversation: string, text: string, name: string, base: string) => void }} props
 */
export function useDraftSync({ currentUser, conversation, text, show, showBoth, loaded, saved, onLoad, onSave }) {
  const saves = useRef(/** @type {ReturnType<typeof createDraftSaves> | null} */ (null));
  saves.current ??= createDraftSaves(drafts);
  const timer = useRef(/** @type {any} */ (null));
  const isUsed = !!currentUser && !!conversation;

  const save = (of) => saves.current?.save(currentUser, of, onSave);

  useEffect(() => {
    if (!isUsed) return undefined;
    onLoad(conversation);
    // Another device may have been used meanwhile.
    const turn = () => (document.hidden ? save(conversation) : onLoad(conversation));
    document.addEventListener("visibilitychange", turn);
    return () => {
      document.removeEventListener("visibilitychange", turn);
      save(conversation);
    };
  }, [currentUser, conversation]);

  useEffect(() => {
    if (!isUsed) return undefined;
    const fire = () => {
      timer.current = null;
      save(conversation);
    };
    // A message that was sent leaves no draft on other devices.
    timer.current = setTimeout(fire, text ? PAUSE_MS : 0);
    return () => {
      clearTimeout(timer.current);
      timer.current = null;
    };
  }, [currentUser, conversation, text]);

  useEffect(() => {
    if (!isUsed || !loaded.number || loaded.conversation !== conversation) return;
    if (drafts.isUnsaved(currentUser, conversation)) return;
    drafts.receive(currentUser, conversation, loaded.text);
    if (loaded.text !== text) show(loaded.text);
  }, [loaded.number]);

  useEffect(() => {
    const before = drafts.load(currentUser, conversation);
    const further = saves.current?.answer(currentUser, saved);
    const both = drafts.load(currentUser, conversation);
    if (isUsed && both !== before) showBoth(both);
    // What is typed right now is saved after a pause.
    if (further && (further !== conversation || timer.current === null)) save(further);
  }, [saved]);
}
