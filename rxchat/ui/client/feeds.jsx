// Two components without a picture: they carry what the server says into the page's thread.
import { useLayoutEffect, useRef } from "react";
import { useLocation } from "react-router";
import { drafts, offered, refusal, thread } from "./page-state.js";

let shownPath = null;

/** A path change empties the thread at once; the server's `set` fills it. */
function useFreshPage(conversationId) {
  const { pathname } = useLocation();
  useLayoutEffect(() => {
    // The page that a first message was sent from turns into that conversation's page: that is no leaving.
    const isBirth = shownPath === "/" && conversationId && pathname === `/c/${conversationId}`;
    if (shownPath !== null && shownPath !== pathname && !isBirth) thread.leave();
    shownPath = pathname;
  }, [pathname]);
}

export function ThreadFeed({ patch, conversationId, accepted, refused, waiting, viewer, onResync, onMore }) {
  useFreshPage(conversationId);
  const handled = useRef({ accepted: "", refused: null });

  useLayoutEffect(() => {
    const { tag, pending, messages } = thread.view();
    if (tag === "" && conversationId && (pending.length || messages.length)) thread.rename(conversationId);
  }, [conversationId]);

  useLayoutEffect(() => thread.patch(patch, conversationId, onResync, onMore), [patch]);

  useLayoutEffect(() => thread.waits(waiting.map((message) => message.id)), [waiting]);

  useLayoutEffect(() => {
    if (!accepted || handled.current.accepted === accepted) return;
    handled.current.accepted = accepted;
    thread.accept(accepted);
    drafts.settle(viewer, conversationId, accepted);
  }, [accepted, viewer, conversationId]);

  useLayoutEffect(() => {
    if (!refused?.id || handled.current.refused === refused.id) return;
    handled.current.refused = refused.id;
    const sent = thread.refuse(refused.id);
    drafts.settle(viewer, conversationId, refused.id);
    if (!sent) return;
    offered.set({ text: sent.text, isReturned: true });
    refusal.set(refused.text);
  }, [refused]);

  return null;
}

export function StreamFeed({ packet, onResync }) {
  useLayoutEffect(() => thread.packet(packet, onResync), [packet]);
  return null;
}
