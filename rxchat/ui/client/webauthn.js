// Passkeys: only a script can use the browser's WebAuthn, which reads and writes the server's JSON by itself (level 3).
import { ask } from "./backend.js";

/** @returns {any} */
const passkeys = () => window.PublicKeyCredential;
/** Passkeys belong to names: under an IP address no browser makes any. */
const isIpAddress = (host) => /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.includes(":");

/** Whether this browser can have passkeys here. */
export const hasPasskeys = () => typeof window !== "undefined" && !!passkeys()?.parseCreationOptionsFromJSON && !isIpAddress(location.hostname);

const createPasskey = (options) => navigator.credentials.create({ publicKey: passkeys().parseCreationOptionsFromJSON(options) });
const showPasskey = (options) => navigator.credentials.get({ publicKey: passkeys().parseRequestOptionsFromJSON(options) });

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
    return await ask("POST", finish, { ...rest, credential: (await credentialFor(begun.data)).toJSON() });
  } catch (error) {
    return { problem: passkeyProblem(error) };
  }
}

/** Sign in with a passkey: by itself it says whose it is, so the first step of another user must not narrow it down. */
export async function signInWithPasskey({ isSecondStep }) {
  if (!isSecondStep) await ask("POST", "/api/auth/start-over", {});
  return withCredential("/api/auth/passkey/begin", {}, "/api/auth/passkey", showPasskey);
}

/** Add a passkey to the current user's account. */
export const addPasskey = ({ name, password = "" }) => withCredential("/api/me/passkeys/begin", { password }, "/api/me/passkeys", createPasskey, { name });
