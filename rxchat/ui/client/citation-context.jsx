// Which answer a citation is in: chips deep inside its markdown ask here.
import { createContext, useCallback, useContext, useSyncExternalStore } from "react";
import { ask } from "./backend.js";
import { createSources } from "./citation-sources.js";
import { viewed } from "./page-state.js";

const sources = createSources((message) => ask("GET", `/api/conversations/${viewed().tag}/messages/${message}/sources`));

const Citations = createContext(null);
export const CitationsOf = Citations.Provider;

/** {citations, message} of the answer around this. */
export const useCitations = () => useContext(Citations);

/** What an answer's model was shown: {list, problem, look}; it is asked for with `look`, which gives the same. */
export function useSources({ citations, message }) {
  const known = useSyncExternalStore(
    sources.subscribe,
    () => sources.of(citations),
    () => sources.of(citations),
  );
  const look = useCallback(() => sources.want(citations, message), [citations, message]);
  return { ...known, look };
}
