// The sidebar folds beside a page and is a modal drawer on phones: media queries, `inert` and what is remembered are the browser's.
import { post } from "./backend.js";
import { focusSoon } from "./behaviours.js";
import { clientValue, onClientValue, setClientValue } from "./client-values.js";
import { drafts } from "./page-state.js";

const PHONE = "(max-width: 767px)";
const KEY = "rxchat:sidebar";
/** What is behind the drawer. */
const BEHIND = ".shell > :not(.sidebar, .drawer-shade)";

/** Open or fold the sidebar; which one it was is remembered, except for the phone's drawer. */
export function toggleSidebar() {
  if (matchMedia(PHONE).matches) {
    setClientValue("drawer", !clientValue("drawer"));
    return;
  }
  const root = document.documentElement;
  const isClosed = root.dataset.sidebar === "closed";
  if (isClosed) delete root.dataset.sidebar;
  else root.dataset.sidebar = "closed";
  localStorage.setItem(KEY, isClosed ? "open" : "closed");
}

/** The focus is kept in the open drawer, and goes back to its button when it closes. */
function showDrawer() {
  const isOpen = clientValue("drawer");
  for (const element of document.querySelectorAll(BEHIND)) element.toggleAttribute("inert", isOpen);
  focusSoon(isOpen ? ".sidebar :is(a, button)" : "[data-opens-sidebar]");
}

export async function signOut() {
  const problem = await post("/api/auth/sign-out", {});
  if (problem) {
    setClientValue("problem_toast", problem);
    return;
  }
  drafts.clear();
  location.assign("/sign-in");
}

if (typeof document !== "undefined") {
  onClientValue("drawer", showDrawer);
  // A window that is made wider has a sidebar beside the page, and nothing behind a drawer.
  matchMedia(PHONE).addEventListener("change", () => setClientValue("drawer", false));
}
