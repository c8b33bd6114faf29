/** The same execution from a terminal: the curl call and the command line. */
import type { FlowInput } from "@/api/types";
import { toPart, type Values } from "./inputs";

export interface Target {
  readonly origin: string;
  readonly tenant: string;
  readonly namespace: string;
  readonly flowId: string;
}

/** The curl call that starts this execution. Secrets become shell variables. */
export function curlCommand(target: Target, inputs: readonly FlowInput[], values: Values): string {
  const url = `${target.origin}/api/v1/${target.tenant}/executions/${target.namespace}/${target.flowId}`;
  const parts = answered(inputs, values).map(([id, text]) => `-F ${quoted(id, text)}`);
  return ["curl -X POST", `-u "$PENSTOCK_USER:$PENSTOCK_PASSWORD"`, ...parts, shellQuote(url)].join(" \\\n  ");
}

/** The command that runs the flow's own file on the reader's machine with the same inputs. */
export function cliCommand(target: Target, inputs: readonly FlowInput[], values: Values): string {
  const parts = answered(inputs, values).map(([id, text]) => `-i ${quoted(id, text)}`);
  return [`penstock run ${shellQuote(`${target.flowId}.yaml`)}`, ...parts].join(" \\\n  ");
}

function answered(inputs: readonly FlowInput[], values: Values): [string, string][] {
  return inputs.flatMap((input): [string, string][] => {
    const part = toPart(input, values[input.id]);
    if (part === undefined) return [];
    if (part instanceof File) return [[input.id, `@${part.name}`]];
    return [[input.id, input.type === "SECRET" ? `$${variableName(input.id)}` : part]];
  });
}

function quoted(id: string, text: string): string {
  return text.startsWith("$") ? `"${id}=${text}"` : shellQuote(`${id}=${text}`);
}

function variableName(id: string): string {
  return id.toUpperCase().replace(/[^A-Z0-9]/g, "_");
}

function shellQuote(text: string): string {
  return /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
