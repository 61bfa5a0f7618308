// Passkeys: only a script can use the browser's WebAuthn; what the server says in JSON, as browsers want it, and back (level 3).
import { isIpAddress } from "./account-words.js";
import { ask } from "./backend.js";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
const named = (list) => (list ?? []).map((item) => ({ ...item, id: bytes(item.id) }));

/** Whether this browser can have passkeys here. */
export const hasPasskeys = () => typeof window !== "undefined" && !!window.PublicKeyCredential && !isIpAddress(location.hostname);

function about(credential, response) {
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}

/** Make a passkey. */
async function createPasskey(options) {
  /** @type {any} */
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: named(options.excludeCredentials),
    },
  });
  return about(made, {
    clientDataJSON: text(made.response.clientDataJSON),
    attestationObject: text(made.response.attestationObject),
    transports: made.response.getTransports?.() ?? [],
  });
}

/** Show a passkey. */
async function usePasskey(options) {
  /** @type {any} */
  const shown = await navigator.credentials.get({
    publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: named(options.allowCredentials) },
  });
  return about(shown, {
    clientDataJSON: text(shown.response.clientDataJSON),
    authenticatorData: text(shown.response.authenticatorData),
    signature: text(shown.response.signature),
    userHandle: shown.response.userHandle ? text(shown.response.userHandle) : undefined,
  });
}

/** What to say when a browser made or showed none. */
function passkeyProblem(error) {
  if (error?.name === "InvalidStateError") return "This device already has a passkey for your account.";
  if (error?.name === "NotAllowedError" || error?.name === "AbortError") return "No passkey was used. Try again, or sign in another way.";
  return "This browser could not use a passkey here.";
}

/** Begin at one route and finish at another with the credential of this browser; answers like `ask`. */
async function withCredential(path, body, finish, credentialFor, rest = {}) {
  const begun = await ask("POST", path, body);
  if (begun.problem) return begun;
  try {
    return await ask("POST", finish, { ...rest, credential: await credentialFor(begun.data) });
  } catch (error) {
    return { problem: passkeyProblem(error) };
  }
}

/** Sign in with a passkey: by itself it says whose it is, so the first step of another user must not narrow it down. */
export async function signInWithPasskey({ isSecondStep }) {
  if (!isSecondStep) await ask("POST", "/api/auth/start-over", {});
  return withCredential("/api/auth/passkey/begin", {}, "/api/auth/passkey", usePasskey);
}

/** Add a passkey to the current user's account. */
export const addPasskey = ({ name, password = "" }) => withCredential("/api/me/passkeys/begin", { password }, "/api/me/passkeys", createPasskey, { name });
