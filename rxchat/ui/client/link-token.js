// The token of a link that was mailed or printed. It stands behind the "#", which browsers send to no server and no proxy.
import { useLocation } from "react-router";

/** The page's token, or "". */
export function useLinkToken() {
  return new URLSearchParams(useLocation().hash.slice(1)).get("token") ?? "";
}
