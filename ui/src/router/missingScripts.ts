/**
 * Pages whose script did not arrive: the line broke for a moment, or the server has a newer release than this page.
 * A browser never asks again for a script that failed, so the page is loaded anew: a few times, then the fault stays.
 */
import type { Router } from "vue-router";

const KEY = "penstock.loadedAnew";
const TIMES = 3;
const WITHIN = 60_000;
/** Time for the line to mend, and for a page that is being left to be gone: it loses what is on its way to it, too. */
const PAUSE = 500;
/** What Chromium, Firefox and Safari say, and what is said of a page's style. */
const SAID = /dynamically imported module|importing a module script failed|unable to preload css/i;

/** Whether an error is that of a script, or its style, that did not arrive. */
export function isMissingScript(error: unknown): boolean {
  return error instanceof Error && SAID.test(error.message);
}

/** Whether the page may be loaded anew, which is noted: `TIMES` within a minute, so that nothing goes round for ever. */
export function mayLoadAnew(memory: Pick<Storage, "getItem" | "setItem">, now: number): boolean {
  const recent = (memory.getItem(KEY) ?? "").split(",").map(Number).filter((at) => at > 0 && now - at < WITHIN);
  if (recent.length >= TIMES) return false;
  memory.setItem(KEY, [...recent, now].join(","));
  return true;
}

/** Have the router load a page anew whose script did not arrive. */
export function loadMissingScripts(router: Router): void {
  router.onError((error: unknown, to) => {
    if (!isMissingScript(error) || !mayLoadAnew(sessionStorage, Date.now())) return console.error(error);
    setTimeout(() => location.assign(router.resolve(to).href), PAUSE);
  });
}
