// Two components without a picture: they carry what the server says into the page's thread, and what is said here to it.
import { useContext, useEffect, useLayoutEffect, useRef } from "react";
import { UNSAFE_DataRouterContext as DataRouterContext, useLocation, useNavigate, useParams } from "react-router";
import { EventLoopContext } from "$/utils/context-registry";
import { attachmentsOf } from "./attach-page.js";
import { drafts, giveBack, offered, outbox, refusal, returned, thread, useThread } from "./page-state.js";

const LOOK_EVERY = 1000;

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

/** Whether this conversation is that of the address; a new chat's page is born before its address changes. */
const isHere = (tag, expected) => tag === expected || (!expected && thread.view().born);

/** Send what is on its way, as soon as the page shows the conversation that it is meant for, and again until it has arrived. */
function useSending(view, expected, onSend) {
  const [, errors] = useContext(EventLoopContext) ?? [];
  const isAway = errors?.length > 0;
  useLayoutEffect(() => {
    if (isAway) outbox.hold();
  }, [isAway]);
  const latest = useRef();
  latest.current = onSend;
  const isSending = isHere(view.tag, expected) && !isAway && view.pending.length > 0;
  useEffect(() => {
    if (!isSending) return undefined;
    const send = (text, id, attached) => latest.current(text, id, attached);
    outbox.flush(send);
    const timer = setInterval(() => outbox.flush(send), LOOK_EVERY);
    return () => clearInterval(timer);
  }, [isSending, view.pending]);
}

/** Forget what has arrived: its draft, and what came back to the composer before it was known to have. */
function useSettling(view, currentUser, expected, accepted) {
  useLayoutEffect(() => {
    // After a load, the page of a new chat first hears of what was shown there before.
    if (!currentUser || !isHere(view.tag, expected)) return;
    drafts.settleKnown(currentUser, expected, thread.has);
    const back = returned.get();
    if (!back || !thread.has(back.id)) return;
    returned.set(null);
    offered.set({ taken: back.text });
    attachmentsOf(currentUser, expected).drop(back.attached);
  }, [view, currentUser, expected, accepted]);
}

/** The page of a new chat gets the address of the conversation that its message began, if it still shows that message. */
function useBirth(born, currentUser) {
  const navigate = useNavigate();
  // As it is now: hooks say after the next redraw where a click leads.
  const { router } = useContext(DataRouterContext);
  useLayoutEffect(() => {
    const { conversation_id: conversation, client_id: id } = born ?? {};
    if (!conversation || !currentUser) return;
    // A page that is loaded anew may hear of it before it has sent it again.
    const isOurs = thread.wasSentHere(id) || drafts.unsettled(currentUser, "")?.id === id;
    // The page that sent it may be left already: it is not sent again from there.
    drafts.settle(currentUser, conversation, id);
    const { location, navigation } = router.state;
    if (isOurs && location.pathname === "/" && !navigation.location) navigate(`/c/${conversation}`, { replace: true });
  }, [born, currentUser]);
}

export function ThreadFeed({ patch, conversationId, accepted, born, refused, waiting, currentUser, onSend, onResync, onMore }) {
  useFreshPage(conversationId);
  const view = useThread();
  const { conversation_id: expected = "" } = useParams();
  const handled = useRef({ accepted: "", refusal: "" });

  useLayoutEffect(() => {
    const { tag, pending, messages } = thread.view();
    if (tag === "" && conversationId && (pending.length || messages.length)) thread.rename(conversationId);
  }, [conversationId]);

  useLayoutEffect(() => {
    if (patch?.change === "set") outbox.beginAgain();
    thread.patch(patch, conversationId, onResync, onMore);
  }, [patch]);

  useLayoutEffect(() => {
    // What waited on the page before may still be here.
    if (isHere(conversationId, expected)) thread.waits(waiting);
  }, [waiting, conversationId, expected]);

  useLayoutEffect(() => {
    if (!accepted || handled.current.accepted === accepted || !isHere(conversationId, expected)) return;
    handled.current.accepted = accepted;
    thread.accept(accepted, onResync);
    drafts.settle(currentUser, conversationId, accepted);
  }, [accepted, currentUser, conversationId, expected]);

  useLayoutEffect(() => {
    if (!refused?.id || handled.current.refusal === refused.refusal) return;
    handled.current.refusal = refused.refusal;
    outbox.forget(refused.id);
    const sent = thread.refuse(refused.id);
    drafts.settle(currentUser, conversationId, refused.id);
    if (!sent) return;
    returned.set(sent);
    giveBack([sent.text]);
    attachmentsOf(currentUser, conversationId).restore(sent.attached);
    refusal.set(refused.text);
  }, [refused]);

  useBirth(born, currentUser);
  useSettling(view, currentUser, expected, accepted);
  useSending(view, expected, onSend);
  return null;
}

export function StreamFeed({ packet, onResync }) {
  useLayoutEffect(() => thread.packet(packet, onResync), [packet]);
  return null;
}
