import { api } from "@/api/client";
import { errorFrom } from "@/api/errors";
import { TENANT } from "@/api/types";
import type { FlowTarget } from "./useFlows";

interface Download {
  readonly method: "get" | "post";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Answer {
  readonly data?: Blob;
  readonly error?: unknown;
  readonly response: Response;
}

/** Has the browser keep what a call answers as a file. */
export async function download(name: string, { method, path, query = {}, body }: Download): Promise<void> {
  const loose = api as unknown as { request: (method: string, path: string, options: object) => Promise<Answer> };
  const { data, error, response } = await loose.request(method, `/api/v1/${TENANT}${path}`, { params: { query }, body, parseAs: "blob" });
  if (!response.ok || !data) throw errorFrom(response, error);
  keep(name, data);
}

/** Has the browser keep a file made on the page. */
export function keep(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}

/** One archive with the sources of several flows (UI-024). */
export function downloadFlows(target: FlowTarget): Promise<void> {
  if ("keys" in target) return download("flows.zip", { method: "post", path: "/flows/export/by-ids", body: target.keys });
  return download("flows.zip", { method: "get", path: "/flows/export/by-query", query: target.filters });
}
