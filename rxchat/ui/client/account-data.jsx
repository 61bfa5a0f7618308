// One's own data: all of it to take along, and an account that goes away.
import { useEffect, useState } from "react";
import { Download } from "lucide-react";
import { day } from "./account-words.js";
import { address, ask } from "./backend.js";
import { ProofDialog } from "./dialog.jsx";
import { Panel } from "./panel.jsx";

const days = (count) => (count === 1 ? "one day" : `${count} days`);

/** What administrators may read, and what they have read: who looks at this page has been told. */
function Readings({ readings, onSee }) {
  const hasNew = readings.some((item) => item.is_new);
  useEffect(() => {
    if (hasNew) onSee();
  }, [hasNew]);
  return (
    <Panel title="Who may read what I write" lead="Nobody but you, and those with whom you share. Administrators may read a conversation when they give a reason: both are kept in the audit, and shown to you here.">
      {readings.length === 0 ? <p className="panel-lead">No administrator has read any of your conversations.</p> : (
        <ul className="rows" aria-label="What administrators have read">
          {readings.map((item, at) => (
            <li key={at} className="row">
              <div>
                <p><b>{item.reader}</b> {item.title ? <>read <bdi>{item.title}</bdi></> : "listed your conversations"} on {day(item.at)}.</p>
                <p className="panel-lead">Reason: <bdi>{item.reason}</bdi></p>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

export function DataSection({ account: { profile, graceDays, readings }, events }) {
  const [isAsking, setAsking] = useState(false);
  const [isTaking, setTaking] = useState(false);
  const begin = async ({ password = "" }) => {
    const answer = await ask("POST", "/api/me/export", { password });
    // As a download of the browser's own: it is shown there, and the page stays.
    if (answer.data) location.assign(address(answer.data.url));
    return answer;
  };
  const send = ({ password = "" }) => ask("POST", "/api/me/delete", { password });
  const done = () => {
    setAsking(false);
    events.onReload();
  };
  return (
    <>
      <Readings readings={readings} onSee={() => events.onSeeReadings()} />
      <Panel title="Download everything" lead="Your account, your conversations as JSON and as text, and what the audit says that you did, as one zip file.">
        <button type="button" className="button-quiet" onClick={() => setTaking(true)}><Download size={15} aria-hidden="true" /> Download my data…</button>
      </Panel>
      {!profile.deletion_at && (
        <Panel isDanger title="Delete my account" lead={`Your account and all conversations go away for good, ${days(graceDays)} after you ask for it. Until then you can change your mind.`}>
          <button type="button" className="button-quiet is-danger" onClick={() => setAsking(true)}>Delete my account…</button>
        </Panel>
      )}
      {isTaking && (
        <ProofDialog
          title="Download your data?"
          lead="The file holds all of your conversations and documents, readable by anyone who has it. The download begins at once."
          hasPassword={profile.has_password}
          action="Download"
          send={begin}
          onDone={() => setTaking(false)}
          onClose={() => setTaking(false)}
        />
      )}
      {isAsking && (
        <ProofDialog
          title="Delete your account?"
          lead={`All other devices are signed out and your API keys stop working at once. The account and everything in it are deleted in ${days(graceDays)}; until then you can sign in and keep it.`}
          hasPassword={profile.has_password}
          action="Delete my account"
          isDanger
          send={send}
          onDone={done}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
