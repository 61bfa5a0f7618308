// The pages for administrators: their navigation, looking for users, moments, links to hand over.
import { useEffect, useId, useRef, useState } from "react";
import { Link, useLocation } from "react-router";
import { Search, UserPlus } from "lucide-react";
import { CopyButton } from "./copy.jsx";
import "./composition.js";

const QUIET = 250;

export function AdminNav({ sections }) {
  const { pathname } = useLocation();
  const list = useRef(null);
  useEffect(() => {
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [pathname, sections.length]);
  return (
    <nav className="admin-nav" aria-label="Administration">
      <ul ref={list}>
        {sections.map(({ label, path }) => {
          const isHere = pathname === path || pathname.startsWith(`${path}/`);
          return <li key={path}><Link to={path} aria-current={isHere ? "page" : undefined}>{label}</Link></li>;
        })}
      </ul>
    </nav>
  );
}

/** A link within the app: nothing is loaded anew. */
export function PageLink({ to, className, children }) {
  return <Link to={to} className={className}>{children}</Link>;
}

/** A file of RxChat's own routes: the browser fetches it, not the app's router. */
export function FileLink({ href, filename, className, children }) {
  return <a href={href} download={filename} className={className}>{children}</a>;
}

/** What is typed is told after a moment's pause, the last word always. */
function useQuiet(tell) {
  const timer = useRef(0);
  const latest = useRef(tell);
  latest.current = tell;
  useEffect(() => () => clearTimeout(timer.current), []);
  return (value, isAtOnce) => {
    clearTimeout(timer.current);
    if (isAtOnce) latest.current(value);
    else timer.current = setTimeout(() => latest.current(value), QUIET);
  };
}

export function SearchBox({ label, placeholder, onSearch }) {
  const [value, setValue] = useState("");
  const tell = useQuiet(onSearch);
  const change = (next, isAtOnce) => {
    setValue(next);
    tell(next, isAtOnce);
  };
  return (
    <div className="search-box" role="search">
      <Search size={16} strokeWidth={1.75} aria-hidden="true" />
      <input
        type="search"
        aria-label={label}
        placeholder={placeholder}
        value={value}
        maxLength={100}
        onChange={(event) => change(event.target.value, !event.target.value)}
        onKeyDown={(event) => event.key === "Enter" && change(value, true)}
      />
    </div>
  );
}

/** A link for somebody to carry to somebody else. */
export function LinkToHandOver({ link, label }) {
  const field = useRef(null);
  return (
    <div className="link-box">
      <input ref={field} readOnly aria-label={label} value={link} onFocus={() => field.current.select()} />
      <CopyButton text={link} label={`Copy the ${label.toLowerCase()}`} className="button-main" withWord />
    </div>
  );
}

function moved(event, at, count) {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (!(event.key in steps) || !count) return at;
  event.preventDefault();
  return (at + steps[event.key] + count) % count;
}

/** Type a name, choose with the arrow keys and Enter, or with a press. */
export function UserPicker({ label, verb, found, searched, onSearch, onPick }) {
  const [value, setValue] = useState("");
  const [at, setAt] = useState(0);
  const field = useRef(null);
  const tell = useQuiet(onSearch);
  const id = useId();
  const users = value.trim() ? found : [];
  useEffect(() => setAt(0), [found]);
  const pick = (person) => {
    onPick(person.id);
    setValue("");
    field.current?.focus();
  };
  const keys = (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      if (users[at]) pick(users[at]);
    }
    setAt(moved(event, at, users.length));
  };
  const isVain = value.trim() && searched === value.trim() && !users.length;
  return (
    <div className="picker">
      <label htmlFor={`${id}-field`}>{label}</label>
      <input
        ref={field}
        id={`${id}-field`}
        role="combobox"
        aria-expanded={users.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={users[at] ? `${id}-${at}` : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder="Name or address"
        value={value}
        onChange={(event) => {
          setValue(event.target.value);
          tell(event.target.value, !event.target.value);
        }}
        onKeyDown={keys}
      />
      <ul id={`${id}-list`} role="listbox" aria-label="Users found" hidden={!users.length}>
        {users.map((person, number) => (
          <li
            key={person.id}
            id={`${id}-${number}`}
            role="option"
            aria-selected={number === at}
            onPointerMove={() => setAt(number)}
            onClick={() => pick(person)}
          >
            <span className="picker-who"><b>{person.name}</b><span>{person.email}</span></span>
            <span className="picker-verb"><UserPlus size={15} aria-hidden="true" /> {verb}</span>
          </li>
        ))}
      </ul>
      <p className="field-help" role="status">{isVain ? "No users match." : ""}</p>
    </div>
  );
}

/** One of several choices, each with what it means. It shows what was pressed at once, and what holds as soon as that is known. */
export function Choices({ name, label, choices, value, answers, onChoose }) {
  const [shown, setShown] = useState(value);
  useEffect(() => setShown(value), [value, answers]);
  return (
    <div role="radiogroup" aria-label={label}>
      {choices.map((choice) => (
        <label key={choice.value}>
          <input
            type="radio"
            name={name}
            value={choice.value}
            checked={shown === choice.value}
            onChange={() => {
              setShown(choice.value);
              onChoose(name, choice.value);
            }}
          />
          <span><b>{choice.title}</b><span className="row-detail">{choice.words}</span></span>
        </label>
      ))}
    </div>
  );
}
