// Plain HTTP to RxChat's own routes: the websocket cannot set cookies, and is no place for secrets.
import env from "$/env.json";
import { getBackendURL } from "$/utils/state";

const UNREACHABLE = "RxChat cannot be reached. Check the connection and try again. Nothing you typed is lost.";

/** Under `reflex run` the routes live on another port than the page, and Reflex knows which. */
export function address(path) {
  const url = new URL(getBackendURL(env.EVENT).href.replace(/^ws/, "http"));
  return new URL(path, url).href;
}

/**
 * Ask, with JSON where there is something to say. Gives {data} when it worked; else {problem, code, wait}: a sentence for
 * the person, its name for programs, and for how many seconds it is not worth trying again.
 */
export async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(address(path), {
      method,
      credentials: "include",
      // A deletion continues when the page is left.
      keepalive: method === "DELETE",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    return { problem: UNREACHABLE, code: "unreachable", wait: 0 };
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return { data: answer ?? {} };
  return {
    problem: answer?.error?.message ?? `The request failed (status ${response.status}). Try again in a moment.`,
    code: answer?.error?.code ?? "",
    wait: Number(response.headers.get("Retry-After")) || 0,
  };
}

/** Send JSON. Gives "" when it worked, else a sentence for the person. */
export async function post(path, body) {
  return (await ask("POST", path, body)).problem ?? "";
}
