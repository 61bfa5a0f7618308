// One's own data: all of it to take along, and an account that goes away.
import { useState } from "react";
import { Download } from "lucide-react";
import { address, ask } from "./backend.js";
import { ProofDialog } from "./dialog.jsx";
import { Panel } from "./panel.jsx";

const days = (count) => (count === 1 ? "one day" : `${count} days`);

export function DataSection({ account: { profile, graceDays }, events }) {
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
