// Passkeys: what the server says in JSON, as browsers want it, and back (WebAuthn level 3).
import { isIpAddress } from "./account-words.js";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
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
export async function createPasskey(options) {
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
export async function usePasskey(options) {
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
export function passkeyProblem(error) {
  if (error?.name === "InvalidStateError") return "This device already has a passkey for your account.";
  if (error?.name === "NotAllowedError" || error?.name === "AbortError") return "No passkey was used. Try again, or sign in another way.";
  return "This browser could not use a passkey here.";
}
