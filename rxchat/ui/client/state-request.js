// Asks the server's state for what the page shows; only an effect in the browser notices that the address, or the state, is another one.
import { useEffect } from "react";

/** `wanted` is the key of what is shown, `loaded` that of what the state has: "" again after the server has lost it. */
export function StateRequest({ wanted, loaded, onRequest }) {
  useEffect(() => {
    if (loaded !== wanted) onRequest();
  }, [wanted, loaded === wanted, loaded === ""]);
  return null;
}
