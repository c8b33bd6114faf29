import type { RouteLocationNormalized, RouteLocationRaw } from "vue-router";

/** Where a call answered with 401 leads: to the login page, which leads back; undefined when already there. */
export function signedOutRoute(current: RouteLocationNormalized): RouteLocationRaw | undefined {
  if (current.meta.open) return undefined;
  return { name: "login", query: { from: current.fullPath } };
}

/** The page to go to after signing in; only a path of this interface counts. */
export function returnPath(from: unknown): string {
  return typeof from === "string" && /^\/(?![/\\])/.test(from) ? from : "/";
}
