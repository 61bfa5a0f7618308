// A document beside the chat: only the browser knows how wide its window is, which line is being read, and where Back leads.
import { useEffect } from "react";
import { useLocation, useNavigate } from "react-router";
import { besideAddress } from "./viewer-address.js";

const WIDE = "(min-width: 1100px)";
let navigation = { open: (_address) => {}, close: () => {} };
/** The citation or link that the document was opened from. @type {HTMLElement | null} */
let opener = null;

/** Open the document at this address beside the chat. @param {string} address @param {any} from */
export function openBeside(address, from) {
  // The citation's card is closed by the click on its link.
  opener = from.closest("[popover]")?.opener ?? from;
  from.closest("[popover]")?.hidePopover();
  navigation.open(address);
}

export const closeBeside = () => navigation.close();

/** What is beside the chat was opened here, and leaves the reader here when it is closed. @param {any} from */
export const returnTo = (from) => {
  opener = from;
};

/** What a click on a link to a document does in a chat; with Ctrl and the like it still opens a tab. */
export function followBeside(event) {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  openBeside(event.currentTarget.getAttribute("href"), event.currentTarget);
}

/** Goes to the addresses of the chat with a document and without; shows nothing. */
export function BesideNavigation() {
  const navigate = useNavigate();
  const location = useLocation();
  useEffect(() => {
    const isOpen = new URLSearchParams(location.search).has("document");
    const state = isOpen ? location.state : { isFromChat: true };
    navigation = {
      open: (address) => navigate(besideAddress(location.pathname, address), { replace: isOpen, state }),
      close: () => (location.state?.isFromChat ? navigate(-1) : navigate(location.pathname, { replace: true })),
    };
  }, [location, navigate]);
  return null;
}

/** The ref of the panel: a part of a wide page, else a dialog over it. Closed, it leaves the reader at the line where it was opened. */
export function besideChat(dialog) {
  const wide = matchMedia(WIDE);
  /** @type {HTMLElement} */
  const thread = document.querySelector(".thread-scroll") ?? document.body;
  const before = thread.scrollTop;
  const line = opener?.getBoundingClientRect().top ?? 0;
  const show = () => {
    dialog.close();
    if (wide.matches) dialog.show();
    else dialog.showModal();
    dialog.focus();
  };
  show();
  // The panel makes the lines of the chat shorter.
  if (opener) thread.scrollTop += opener.getBoundingClientRect().top - line;
  const after = thread.scrollTop;
  wide.addEventListener("change", show);
  return () => {
    wide.removeEventListener("change", show);
    dialog.close();
    if (thread.scrollTop === after) thread.scrollTop = before;
    const back = opener?.isConnected ? opener : thread;
    // React gives the focus back to what has it now, once the panel is gone.
    queueMicrotask(() => back.focus({ preventScroll: true }));
    opener = null;
  };
}
