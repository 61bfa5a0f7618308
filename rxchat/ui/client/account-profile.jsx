// Who one is here.
import { useEffect, useRef, useState } from "react";
import { Check } from "lucide-react";
import { day } from "./account-words.js";
import { Field } from "./form-parts.jsx";
import { Panel } from "./panel.jsx";

const NAME = { name: "name", label: "Name", type: "text", autoComplete: "name", maxLength: 100, help: "Shown to other users, and to the model." };

function NameForm({ name, problem, onRename }) {
  const [value, setValue] = useState(name);
  const [wrong, setWrong] = useState("");
  const [isSaved, setSaved] = useState(false);
  const asked = useRef("");
  useEffect(() => {
    // The server has stored it, perhaps tidied up.
    setValue(name);
    if (asked.current) setSaved(true);
    asked.current = "";
  }, [name]);
  const isChanged = value.trim() !== name;
  const submit = (event) => {
    event.preventDefault();
    if (!value.trim()) {
      setWrong("Enter your name.");
      document.getElementById("name")?.focus();
      return;
    }
    if (!isChanged) return;
    asked.current = value;
    onRename(value.trim());
  };
  const change = (_, typed) => {
    setValue(typed);
    setWrong("");
    setSaved(false);
  };
  return (
    <form noValidate className="name-form" onSubmit={submit}>
      <Field field={NAME} value={value} problem={wrong || problem} onChange={change} />
      <button type="submit" className="button-main" disabled={!isChanged}>Save</button>
      <p className="saved" role="status">{isSaved && <><Check size={15} aria-hidden="true" /> Saved</>}</p>
    </form>
  );
}

export function ProfileSection({ account: { profile }, events }) {
  return (
    <Panel title="Profile">
      <div className="profile">
        <span className="avatar is-large" aria-hidden="true">{(profile.name || "?").slice(0, 1).toUpperCase()}</span>
        <div>
          <p className="profile-name">{profile.name}</p>
          <p className="item-detail">{profile.email}</p>
        </div>
      </div>
      <NameForm name={profile.name} onRename={events.onRename} />
      <dl className="about">
        <div><dt>Role</dt><dd className="is-role">{profile.role}</dd></div>
        <div><dt>Member since</dt><dd>{day(profile.since)}</dd></div>
      </dl>
    </Panel>
  );
}
