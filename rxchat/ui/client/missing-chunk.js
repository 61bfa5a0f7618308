// A tab that was opened before an upgrade asks for a part of the page that is no longer on the server: it loads itself again.

const KEY = "rxchat:reloaded";
const SENTENCE = "A part of this page could not be loaded. Check the connection, then reload the page. What you typed is kept.";

/**
 * What to do when a part of the page does not come: `reload` once in each tab and version, and only where the server
 * answers; else `tell`. Without a storage that remembers it there is no reload: it could be one after another.
 */
export function createRecovery({ storage, version, answers, reload, tell }) {
  const remember = () => {
    try {
      if (storage.getItem(KEY) === version()) return false;
      storage.setItem(KEY, version());
      return storage.getItem(KEY) === version();
    } catch {
      return false;
    }
  };
  let isReloading = false;
  return async () => {
    if (isReloading) return;
    isReloading = true;
    if ((await answers().catch(() => false)) && remember()) reload();
    else {
      isReloading = false;
      tell(SENTENCE);
    }
  };
}
