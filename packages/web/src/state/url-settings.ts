import type { Settings } from "./settings.js";

/** Browsers refuse many changes of an address in a short time; a drag makes a hundred in a second. */
const WAIT = 300;

/**
 * Settings in the query of a page's address, which is replaced and never added to the history. A link to the address
 * shows the same figures. The part after # stays for headings.
 */
export function urlSettings(page: Window): Settings {
  const query = new URLSearchParams(page.location.search);
  let isWaiting = false;
  const write = () => {
    isWaiting = false;
    const { pathname, hash } = page.location;
    const text = query.toString();
    page.history.replaceState(null, "", `${pathname}${text === "" ? "" : `?${text}`}${hash}`);
  };
  return {
    get: (name) => query.get(name),
    set(name, text) {
      if (text === query.get(name)) return;
      if (text === null) query.delete(name);
      else query.set(name, text);
      if (isWaiting) return;
      isWaiting = true;
      page.setTimeout(write, WAIT);
    },
  };
}
