// Plain HTTP to RxChat's own routes: the websocket cannot set cookies.
import env from "$/env.json";
import { getBackendURL } from "$/utils/state";

const UNREACHABLE = "RxChat cannot be reached. Check the connection and try again; nothing you typed is lost.";

/** Under `reflex run` the routes live on another port than the page, and Reflex knows which. */
function address(path) {
  const url = new URL(getBackendURL(env.EVENT).href.replace(/^ws/, "http"));
  return new URL(path, url).href;
}

/** Send JSON. Gives "" when it worked, else a sentence for the person. */
export async function post(path, body) {
  let response;
  try {
    response = await fetch(address(path), {
      method: "POST",
      credentials: "include",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    return UNREACHABLE;
  }
  if (response.ok) return "";
  const answer = await response.json().catch(() => null);
  return answer?.error?.message ?? `That did not work (the server answered ${response.status}). Try again in a moment.`;
}
