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
    <Panel title="Who can read my conversations" lead="Only you, and people you share with. Administrators can read a conversation if they give a reason; the audit log records it, and you see it here.">
      {readings.length === 0 ? <p className="panel-lead">No administrator has read any of your conversations.</p> : (
        <ul className="rows" aria-label="Access by administrators">
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
      <Panel title="Download my data" lead="Your account, your conversations as JSON and as text, and your entries of the audit log, as one zip file.">
        <button type="button" className="button-quiet" onClick={() => setTaking(true)}><Download size={15} aria-hidden="true" /> Download my data…</button>
      </Panel>
      {!profile.deletion_at && (
        <Panel isDanger title="Delete my account" lead={`Your account and all conversations are deleted permanently ${days(graceDays)} after you request it. Until then you can cancel.`}>
          <button type="button" className="button-quiet is-danger" onClick={() => setAsking(true)}>Delete my account…</button>
        </Panel>
      )}
      {isTaking && (
        <ProofDialog
          title="Download your data?"
          lead="The file contains all of your conversations and documents, and is not encrypted. The download starts immediately."
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
          lead={`All other devices will be signed out, and your API keys stop working immediately. The account and everything in it are deleted in ${days(graceDays)}; until then you can sign in and cancel the deletion.`}
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
