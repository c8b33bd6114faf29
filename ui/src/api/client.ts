/** The typed HTTP client: same origin, session cookie, one place that turns refusals into errors. */
import createClient, { type Middleware } from "openapi-fetch";
import type { paths } from "./schema";
import { ApiError, errorFrom } from "./errors";
import { TENANT } from "./types";

/** Called once a call is answered with 401, other than the login itself. */
let signedOut: () => void = () => undefined;

export function onSignedOut(handler: () => void): void {
  signedOut = handler;
}

const guard: Middleware = {
  onRequest({ request }) {
    // A foreign page cannot set this header, so the session cookie alone changes nothing. It also
    // tells the server that a page asks, which must see a 401 itself instead of the browser's own dialog.
    request.headers.set("X-Requested-With", "penstock");
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && schemaPath !== "/login") signedOut();
    return undefined;
  },
  onError() {
    return new ApiError(0, "The server cannot be reached.", "unreachable");
  },
};

export const api = createClient<paths>({
  baseUrl: "/",
  querySerializer: { array: { style: "form", explode: true } },
});
api.use(guard);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of a call, or an ApiError thrown. */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw errorFrom(response, error);
  return data as T;
}

/** Path parameters within this instance's tenant. */
export function inTenant<T extends object = object>(path = {} as T): T & { tenant: string } {
  return { tenant: TENANT, ...path };
}

/** A JSON body whose shape the API's description leaves open. */
export function openBody(body: unknown): { body: never } {
  return { body: body as never };
}

type Query = Readonly<Record<string, string | boolean | undefined>>;

/** A call whose path is put together of parts, as those on many executions are. */
export function send<T>(method: "post" | "delete", path: string, query: Query, body?: unknown): Promise<T> {
  const loose = api as unknown as { request: (method: string, path: string, options: object) => Promise<Answer<T>> };
  return unwrap(loose.request(method, `/api/v1/${TENANT}${path}`, { params: { query }, body }));
}
