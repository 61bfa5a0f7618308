// The pages of one's own account: their frame, and what stands on top of all of them.
import { useEffect } from "react";
import { Link, useSearchParams } from "react-router";
import { CalendarClock, RefreshCw, ShieldAlert } from "lucide-react";
import { day, problemWords } from "./account-words.js";
import { DataSection } from "./account-data.jsx";
import { KeysSection } from "./account-keys.jsx";
import { ProfileSection } from "./account-profile.jsx";
import { SecuritySection } from "./account-security.jsx";
import { SessionsSection } from "./account-sessions.jsx";
import { Problem } from "./form-parts.jsx";

const SECTIONS = [
  { name: "profile", label: "Profile", path: "/account", Body: ProfileSection },
  { name: "security", label: "Security", path: "/account/security", Body: SecuritySection },
  { name: "sessions", label: "Sessions", path: "/account/sessions", Body: SessionsSection },
  { name: "keys", label: "API keys", path: "/account/keys", Body: KeysSection },
  { name: "data", label: "My data", path: "/account/data", Body: DataSection },
];

function Tabs({ section }) {
  useEffect(() => {
    document.querySelector('.tabs [aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [section]);
  return (
    <nav className="tabs" aria-label="Account">
      {SECTIONS.map(({ name, label, path }) => (
        <Link key={name} to={path} aria-current={name === section ? "page" : undefined}>{label}</Link>
      ))}
    </nav>
  );
}

function DeletionBanner({ at, isByOthers, onKeep }) {
  if (!at) return null;
  return (
    <div className="callout is-danger" role="status">
      <CalendarClock size={18} strokeWidth={1.75} aria-hidden="true" />
      <p>
        <b>Your account will be deleted on {day(at)}.</b>{" "}
        {isByOthers ? "An administrator requested the deletion. Until then you can download your data, or ask them to cancel it." : "Until then you can cancel the deletion; nothing is deleted yet."}
      </p>
      {!isByOthers && <button type="button" className="button-quiet" onClick={() => onKeep()}>Cancel deletion</button>}
    </div>
  );
}

function EnrolBanner({ mustEnrol, needsSecondFactor }) {
  if (!mustEnrol && !needsSecondFactor) return null;
  const why = mustEnrol
    ? "Two-factor authentication is required. Set up an authenticator app or a passkey to use RxChat."
    : "Administration requires two-factor authentication. Set up an authenticator app or a passkey here; if you have one, sign in again with it.";
  return (
    <div className="callout is-warning" role="status">
      <ShieldAlert size={18} strokeWidth={1.75} aria-hidden="true" />
      <p>{why}</p>
    </div>
  );
}

const Skeleton = () => (
  <div className="panel-skeletons" role="status" aria-label="Loading your account">
    {[3, 2].map((rows) => (
      <div key={rows} className="panel skeleton">
        {Array.from({ length: rows }, (_, at) => <i key={at} style={{ width: `${[34, 82, 61][at]}%` }} />)}
      </div>
    ))}
  </div>
);

function Unloaded({ problem, onReload }) {
  if (!problem) return <Skeleton />;
  return (
    <div className="load-error">
      <Problem>{problem}</Problem>
      <button type="button" className="button-quiet" onClick={() => onReload()}><RefreshCw size={15} aria-hidden="true" /> Try again</button>
    </div>
  );
}

export function AccountPage({ section, onReload, onRename, onEndSession, onEndOthers, onRevoke, onKeep, onSeeReadings, ...account }) {
  const events = { onReload, onRename, onEndSession, onEndOthers, onRevoke, onKeep, onSeeReadings };
  const [search] = useSearchParams();
  const { Body, label } = SECTIONS.find(({ name }) => name === section);
  useEffect(() => {
    document.title = `${label} · Account · RxChat`;
  }, [label]);
  const { ready, problem, profile, mustEnrol, needsSecondFactor } = account;
  return (
    <div className="page-scroll">
      <div className="page">
        <h1 id="account-title" tabIndex={-1} className="sr-only">Account</h1>
        <Tabs section={section} />
        {ready && <DeletionBanner at={profile.deletion_at} isByOthers={profile.is_deleted_by_others} onKeep={events.onKeep} />}
        {ready && section === "security" && <EnrolBanner {...{ mustEnrol, needsSecondFactor }} />}
        <Problem>{problemWords(search.get("problem")) || (ready && problem)}</Problem>
        {ready ? <Body account={account} events={events} /> : <Unloaded problem={problem} onReload={events.onReload} />}
      </div>
    </div>
  );
}
