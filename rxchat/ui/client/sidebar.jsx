// The sidebar: new chat, the conversations by age, the account. A drawer on phones.
import { useCallback, useEffect, useRef } from "react";
import { Link, useLocation, useNavigate, useParams } from "react-router";
import { ChevronsUpDown, CircleUserRound, Library, LogOut, PanelLeft, ShieldCheck, SquarePen } from "lucide-react";
import { post } from "./backend.js";
import { IconButton, Menu, MenuItem, shortcut, useEscape, useShortcut } from "./controls.jsx";
import { drafts, drawer, problemToast } from "./page-state.js";
import { SidebarRow } from "./sidebar-row.jsx";
import { ThemeItems } from "./theme.jsx";

const isPhone = () => matchMedia("(max-width: 767px)").matches;

/** Open or fold the sidebar; which one it was is remembered, except for the phone's drawer. */
export function toggleSidebar() {
  if (isPhone()) {
    drawer.set(!drawer.get());
    return;
  }
  const root = document.documentElement;
  const isClosed = root.dataset.sidebar === "closed";
  if (isClosed) delete root.dataset.sidebar;
  else root.dataset.sidebar = "closed";
  localStorage.setItem("rxchat:sidebar", isClosed ? "open" : "closed");
}

const focusComposer = () => document.getElementById("composer")?.focus();

function focusPage() {
  const main = document.querySelector("main");
  main.tabIndex = -1;
  main.focus();
}

/** The first stop of the keyboard: past the conversations, to where one writes or to what the page shows. */
function Skip() {
  const { pathname } = useLocation();
  const isChat = pathname === "/" || pathname.startsWith("/c/");
  return (
    <button type="button" className="skip" onClick={isChat ? focusComposer : focusPage}>
      {isChat ? "Skip to the message box" : "Skip to the page"}
    </button>
  );
}

async function signOut() {
  const problem = await post("/api/auth/sign-out", {});
  if (problem) problemToast.set(problem);
  else {
    drafts.clear();
    location.assign("/sign-in");
  }
}

function AccountMenu({ name, email, adminHome }) {
  const navigate = useNavigate();
  const go = (path) => {
    drawer.set(false);
    navigate(path);
  };
  return (
    <Menu
      label="Account"
      placement="top-start"
      button={(props) => (
        <button type="button" className="account" {...props}>
          <span className="avatar" aria-hidden="true">{(name || email || "?").slice(0, 1).toUpperCase()}</span>
          <span className="account-name">{name || email}</span>
          <ChevronsUpDown size={15} aria-hidden="true" className="text-muted" />
        </button>
      )}
    >
      {email && <p className="menu-note">{email}</p>}
      <MenuItem icon={CircleUserRound} onClick={() => go("/account")}>Account</MenuItem>
      {adminHome && <MenuItem icon={ShieldCheck} onClick={() => go(adminHome)}>Administration</MenuItem>}
      <hr className="menu-line" />
      <ThemeItems />
      <hr className="menu-line" />
      <MenuItem icon={LogOut} onClick={signOut}>Sign out</MenuItem>
    </Menu>
  );
}

function DocumentsLink() {
  const { pathname } = useLocation();
  const isHere = /^\/documents(\/|$)/.test(pathname);
  return (
    <Link to="/documents" className="sidebar-link" aria-current={isHere ? "page" : undefined} onClick={() => drawer.set(false)}>
      <Library size={17} strokeWidth={1.75} aria-hidden="true" /> Documents
    </Link>
  );
}

const RowsSkeleton = () => (
  <div className="rows-skeleton" role="status" aria-label="Loading conversations">
    {[72, 54, 80, 62, 46].map((width) => <i key={width} style={{ width: `${width}%` }} />)}
  </div>
);

function Groups({ groups, running, loaded, current, mustEnrol, onRename, onRemove }) {
  if (mustEnrol) return <p className="no-rows">Your conversations appear here once two-factor authentication is set up.</p>;
  if (!loaded) return <RowsSkeleton />;
  if (!groups.length) return <p className="no-rows">Conversations appear here.</p>;
  return groups.filter((group) => group.rows.length).map((group) => (
    <section key={group.label} aria-label={group.label}>
      <h2>{group.label}</h2>
      <ul>
        {group.rows.map((row) => (
          <SidebarRow
            key={row.id}
            row={row}
            isCurrent={row.id === current}
            isRunning={running.includes(row.id)}
            onRename={onRename}
            onRemove={onRemove}
          />
        ))}
      </ul>
    </section>
  ));
}

/** Focus goes into the drawer when it opens and back to its button when it closes. */
function useDrawerFocus(isOpen, root) {
  const wasOpen = useRef(false);
  useEffect(() => {
    if (isOpen) root.current?.querySelector("a, button")?.focus();
    else if (wasOpen.current) document.querySelector("[data-opens-sidebar]")?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
}

export function Sidebar({ groups, running, loaded, name, email, adminHome, mustEnrol, onRename, onRemove }) {
  const { conversation_id: current = "" } = useParams();
  const navigate = useNavigate();
  const isOpen = drawer.use();
  const root = useRef(null);
  const newChat = () => {
    drawer.set(false);
    navigate("/");
    focusComposer();
  };
  // Deleting what is open leads to the new-chat page; Undo brings it back into the list.
  const remove = useCallback((id) => {
    onRemove(id);
    if (id === current) navigate("/");
  }, [current, onRemove]);
  useShortcut("b", false, toggleSidebar);
  useShortcut("o", true, newChat);
  useEscape(isOpen, () => drawer.set(false));
  useDrawerFocus(isOpen, root);
  return (
    <>
      <Skip />
      <div className="drawer-shade" data-open={isOpen || undefined} onClick={() => drawer.set(false)} />
      <nav ref={root} className="sidebar" data-open={isOpen || undefined} aria-label="Conversations">
        <div className="sidebar-head">
          <Link to="/" className="wordmark" onClick={() => drawer.set(false)}>
            <img src="/mark.svg" alt="" width="22" height="22" />RxChat
          </Link>
          <IconButton icon={PanelLeft} label="Hide the sidebar" tip={`Hide · ${shortcut("B")}`} onClick={toggleSidebar} />
        </div>
        <button type="button" className="new-chat" onClick={newChat} data-tip={shortcut("Shift+O")} data-tip-side="bottom">
          <SquarePen size={17} strokeWidth={1.75} aria-hidden="true" /> New chat
        </button>
        <DocumentsLink />
        <div className="groups">
          <Groups {...{ groups, running, loaded, current, mustEnrol, onRename }} onRemove={remove} />
        </div>
        <AccountMenu name={name} email={email} adminHome={adminHome} />
      </nav>
    </>
  );
}
