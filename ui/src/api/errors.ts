/** What the API refused, in the parts it gives: message, hint, code, fields and request id. */

/** A problem of a flow's source or of a request, with its place when it has one. */
export interface ApiProblem {
  readonly severity: string;
  readonly message: string;
  readonly hint?: string;
  readonly path?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** A refused or failed call; `status` 0 means that no answer came. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    message: string,
    readonly code?: string,
    readonly hint?: string,
    readonly fields: readonly FieldError[] = [],
    readonly requestId?: string,
    readonly problems: readonly ApiProblem[] = [],
  ) {
    super(message);
  }
}

/** The error a response stands for, whatever its body holds. */
export function errorFrom(response: Response, body: unknown): ApiError {
  const parts = isRecord(body) ? body : {};
  const message = text(parts.message) ?? text(parts.detail) ?? text(body) ?? `${response.status} ${response.statusText}`.trim();
  const requestId = response.headers.get("x-request-id") ?? text(parts.requestId);
  return new ApiError(response.status, message, text(parts.code), text(parts.hint), fieldErrors(parts), requestId ?? undefined, problemsIn(parts));
}

function problemsIn(body: Record<string, unknown>): ApiProblem[] {
  return readProblems(body.problems);
}

/** Problems as the API lists them, in errors and in validations. */
export function readProblems(list: unknown): ApiProblem[] {
  if (!Array.isArray(list)) return [];
  return list.filter(isRecord).flatMap((entry) => {
    const message = text(entry.message);
    const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
    if (!message) return [];
    return [{
      severity: text(entry.severity) ?? "error", message, hint: text(entry.hint), path: text(entry.path),
      line: number(entry.line), column: number(entry.column),
    }];
  });
}

function fieldErrors(body: Record<string, unknown>): FieldError[] {
  const embedded = isRecord(body._embedded) ? body._embedded.errors : undefined;
  const list = body.errors ?? body.problems ?? embedded ?? body.detail;
  if (!Array.isArray(list)) return [];
  return list.filter(isRecord).flatMap((entry) => {
    const place = entry.input ?? entry.field ?? entry.path ?? (Array.isArray(entry.loc) ? entry.loc.at(-1) : undefined);
    const message = text(entry.message) ?? text(entry.msg);
    return message ? [{ field: text(place) ?? "", message }] : [];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
