// Carries what Reflex's socket brings into the page's thread, and what is sent to the server: past React's redrawing, so it shows nothing.
import { useContext, useEffect, useLayoutEffect, useRef } from "react";
import { UNSAFE_DataRouterContext as DataRouterContext, useLocation, useNavigate, useParams } from "react-router";
import { EventLoopContext } from "$/utils/context-registry";
import { attachmentsOf } from "./page-attachments.js";
import { drafts, giveBack, isHere, offered, outbox, refusal, returned, store, useThread, viewed } from "./page-state.js";
import { isKnown } from "./thread-state.js";

const LOOK_EVERY = 1000;

let shownPath = null;

/** A path change empties the thread at once; the server's `set` fills it. */
function useFreshPage(conversationId) {
  const { pathname } = useLocation();
  useLayoutEffect(() => {
    // The page that a first message was sent from turns into that conversation's page: that is no leaving.
    const isBirth = shownPath === "/" && conversationId && pathname === `/c/${conversationId}`;
    if (shownPath !== null && shownPath !== pathname && !isBirth) store.dispatch({ type: "leave" });
    shownPath = pathname;
  }, [pathname]);
}

/** Let the outbox send while the page shows the conversation that its messages are meant for, and look after them. */
function useSending(view, expected, onSend) {
  const [, errors] = useContext(EventLoopContext) ?? [];
  const isAway = errors?.length > 0;
  const isOpen = !isAway && isHere(view.tag, expected);
  useLayoutEffect(() => {
    if (isAway) outbox.hold();
  }, [isAway]);
  useEffect(() => {
    outbox.sendWith(isOpen ? onSend : null);
  });
  useEffect(() => () => outbox.sendWith(null), []);
  const isSending = isOpen && view.pending.length > 0;
  useEffect(() => {
    if (!isSending) return undefined;
    const timer = setInterval(outbox.flush, LOOK_EVERY);
    return () => clearInterval(timer);
  }, [isSending]);
}

/** Forget what has arrived: its draft, and what came back to the composer before it was known to have. */
function useSettling(view, currentUser, expected, accepted) {
  useLayoutEffect(() => {
    // After a load, the page of a new chat first hears of what was shown there before.
    if (!currentUser || !isHere(view.tag, expected)) return;
    const has = (id) => isKnown(store.state(), id);
    drafts.settleKnown(currentUser, expected, has);
    const back = returned.get();
    if (!back || !has(back.id)) return;
    returned.set(null);
    offered.set({ taken: back.text });
    attachmentsOf(currentUser, expected).drop(back.attached);
  }, [view, currentUser, expected, accepted]);
}

/** The page of a new chat gets the address of the conversation that its message began, if it still shows that message. */
function useBirth(born, currentUser) {
  const navigate = useNavigate();
  // As it is now: hooks say after the next redraw where a click leads.
  /** @type {any} */
  const { router } = useContext(DataRouterContext);
  useLayoutEffect(() => {
    const { conversation_id: conversation, client_id: id } = born ?? {};
    if (!conversation || !currentUser) return;
    // After a reload the page may get the confirmation before it has sent the message again.
    const isOurs = store.state().sentHere.includes(id) || drafts.unsettled(currentUser, "")?.id === id;
    // The page that sent it may be left already: it is not sent again from there.
    drafts.settle(currentUser, conversation, id);
    const { location, navigation } = router.state;
    if (isOurs && location.pathname === "/" && !navigation.location) navigate(`/c/${conversation}`, { replace: true });
  }, [born, currentUser]);
}

/** Give back what the server refused, with the reason. */
function useRefusals(refused, currentUser, conversationId) {
  const handled = useRef("");
  useLayoutEffect(() => {
    if (!refused?.id || handled.current === refused.refusal) return;
    handled.current = refused.refusal;
    const sent = outbox.refuse(refused.id);
    drafts.settle(currentUser, conversationId, refused.id);
    if (!sent) return;
    returned.set(sent);
    giveBack([sent.text]);
    attachmentsOf(currentUser, conversationId).restore(sent.attached);
    refusal.set(refused.text);
  }, [refused]);
}

export function ThreadFeed({ patch, conversationId, accepted, born, refused, waiting, currentUser, onSend, onResync, onMore }) {
  useFreshPage(conversationId);
  const view = useThread();
  const { conversation_id: expected = "" } = useParams();
  const handled = useRef("");

  useLayoutEffect(() => store.answerWith({ resync: onResync, more: onMore }));

  useLayoutEffect(() => {
    const { tag, pending, messages } = viewed();
    if (tag === "" && conversationId && (pending.length || messages.length)) store.dispatch({ type: "rename", tag: conversationId });
  }, [conversationId]);

  useLayoutEffect(() => {
    if (patch?.change === "set") outbox.beginAgain();
    store.dispatch({ type: "patch", patch, tag: conversationId });
  }, [patch]);

  useLayoutEffect(() => {
    // What waited on the page before may still be here.
    if (isHere(conversationId, expected)) store.dispatch({ type: "waits", waiting });
  }, [waiting, conversationId, expected]);

  useLayoutEffect(() => {
    if (!accepted || handled.current === accepted || !isHere(conversationId, expected)) return;
    handled.current = accepted;
    store.dispatch({ type: "accept", id: accepted });
    drafts.settle(currentUser, conversationId, accepted);
  }, [accepted, currentUser, conversationId, expected]);

  useRefusals(refused, currentUser, conversationId);
  useBirth(born, currentUser);
  useSettling(view, currentUser, expected, accepted);
  useSending(view, expected, onSend);
  return null;
}

export function StreamFeed({ packet }) {
  useLayoutEffect(() => store.dispatch({ type: "packet", packet }), [packet]);
  return null;
}
