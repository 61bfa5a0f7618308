// Where one is signed in.
import { Monitor, Smartphone, SquareTerminal } from "lucide-react";
import { ago, day, deviceWords, isHandheld, METHODS } from "./account-words.js";
import { Panel, Row, Rows } from "./panel.jsx";

const iconOf = (session) => (session.kind === "program" ? SquareTerminal : isHandheld(session.user_agent) ? Smartphone : Monitor);

function SessionRow({ session, now, onEnd }) {
  const device = session.kind === "program" ? `A program (${deviceWords(session.user_agent)})` : deviceWords(session.user_agent);
  const how = METHODS[session.method] ?? session.method;
  const seen = session.is_this ? "active now" : `last seen ${ago(session.seen_at, now)}`;
  const detail = [session.address, seen, `signed in ${ago(session.began_at, now)}${how ? ` with ${how === "password" || how === "passkey" ? `a ${how}` : how}` : ""}`];
  return (
    <Row icon={iconOf(session)} title={device} chip={session.is_this && "This device"} detail={<span title={day(session.began_at)}>{detail.filter(Boolean).join(" · ")}</span>}>
      {!session.is_this && (
        <button type="button" className="button-quiet" aria-label={`Sign out ${device}, ${session.address}`} onClick={() => onEnd(session.id)}>Sign out</button>
      )}
    </Row>
  );
}

export function SessionsSection({ account: { sessions }, events }) {
  const now = Date.now();
  const hasOthers = sessions.some((session) => !session.is_this);
  const sorted = [...sessions].sort((one, two) => two.is_this - one.is_this || two.seen_at - one.seen_at);
  return (
    <Panel
      title="Where you are signed in"
      lead={hasOthers ? "If you do not recognize a session, sign it out and change your password." : "No other sessions."}
      action={hasOthers && <button type="button" className="button-quiet" onClick={() => events.onEndOthers()}>Sign out all other sessions</button>}
    >
      <Rows label="Sessions">
        {sorted.map((session) => <SessionRow key={session.id} session={session} now={now} onEnd={events.onEndSession} />)}
      </Rows>
    </Panel>
  );
}
