// Which files have a name that a document of the collection has already; the server knows how names are compared.
import { ask } from "./backend.js";

const AT_A_TIME = 200;

/** The names that are taken. When the server does not say, none is: what is uploaded then is kept beside the rest. */
export async function takenNames(collectionId, files, send = ask) {
  const names = [...new Set([...files].map((file) => file.name))];
  const taken = new Set();
  for (let at = 0; at < names.length; at += AT_A_TIME) {
    const { data } = await send("POST", `/api/collections/${encodeURIComponent(collectionId)}/taken-names`, { names: names.slice(at, at + AT_A_TIME) });
    for (const name of data?.taken ?? []) taken.add(name);
  }
  return taken;
}
