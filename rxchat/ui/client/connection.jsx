// Watches the websocket: Reflex has its failed attempts in a React context only.
import { useContext, useEffect } from "react";
import { EventLoopContext } from "$/utils/context-registry";
import { setClientValue } from "./client-values.js";
import { store } from "./page-state.js";

/** A short hiccup is not worth a notice. */
const CALM_MS = 1200;

/** Sets the client value `is_offline`. Reflex lists failed attempts, and empties the list on success. */
export function ConnectionWatch() {
  const [, errors] = useContext(EventLoopContext) ?? [];
  const isFailing = (errors?.length ?? 0) > 0;
  useEffect(() => {
    if (!isFailing) {
      store.dispatch({ type: "reconnect" });
      setClientValue("is_offline", false);
      return undefined;
    }
    const timer = setTimeout(() => setClientValue("is_offline", true), CALM_MS);
    return () => clearTimeout(timer);
  }, [isFailing]);
  return null;
}
