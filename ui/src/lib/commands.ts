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
  const parts = assignments(inputs, values).map((text) => `-F ${text}`);
  return ["curl -X POST", `-u "$PENSTOCK_USER:$PENSTOCK_PASSWORD"`, ...parts, shellQuote(url)].join(" \\\n  ");
}

/** The address that starts a flow by its webhook; a key that is an expression stays as written. */
export function webhookUrl(target: Target, key: string): string {
  return `${target.origin}/api/v1/${target.tenant}/executions/webhook/${target.namespace}/${target.flowId}/${key}`;
}

/** A call that tries a webhook. */
export function webhookCommand(target: Target, key: string): string {
  return ["curl -X POST", "-H 'Content-Type: application/json'", `-d '{"hello": "world"}'`, shellQuote(webhookUrl(target, key))].join(" \\\n  ");
}

/** The command that runs the flow's own file on the reader's machine with the same inputs. */
export function cliCommand(target: Target, inputs: readonly FlowInput[], values: Values): string {
  const parts = assignments(inputs, values).map((text) => `-i ${text}`);
  return [`penstock run ${shellQuote(`${target.flowId}.yaml`)}`, ...parts].join(" \\\n  ");
}

/** `id=value` for every answered input, quoted for a shell. */
function assignments(inputs: readonly FlowInput[], values: Values): string[] {
  return inputs.flatMap((input) => {
    const part = toPart(input, values[input.id]);
    if (part === undefined) return [];
    // Only a secret's variable may stay open to the shell; every typed value is closed to it.
    if (input.type === "SECRET") return [`"${input.id}=$${variableName(input.id)}"`];
    return [shellQuote(`${input.id}=${part instanceof File ? `@${part.name}` : part}`)];
  });
}

function variableName(id: string): string {
  return id.toUpperCase().replace(/[^A-Z0-9]/g, "_");
}

function shellQuote(text: string): string {
  return /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
