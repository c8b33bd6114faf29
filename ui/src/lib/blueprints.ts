import type { FlowInput } from "@/api/types";
import { isEmpty, toPart, type Values } from "./inputs";
import { valueOf } from "./source";

/** A blueprint's source as that of a flow that exists: under the names the flow has. */
export function sourceFor(blueprint: string, flow?: { readonly namespace: string; readonly id: string }): string {
  if (!flow) return blueprint;
  return blueprint.replace(/^id:.*$/m, () => `id: ${flow.id}`).replace(/^namespace:.*$/m, () => `namespace: ${flow.namespace}`);
}

/** A blueprint's source as that of a dashboard that exists: under the id it has. */
export function dashboardSourceFor(blueprint: string, id?: string): string {
  return id === undefined ? blueprint : blueprint.replace(/^id:.*$/m, () => `id: ${id}`);
}

const EXTEND = /^extend:[ \t]*\n(?:[ \t].*(?:\n|$)|\n)*/m;

/**
 * What a blueprint asks of who uses it, as inputs; none when it is a flow already (GOV-348).
 *
 * The rest of a template is no YAML before it is made into a flow, so that only this part of it is read.
 */
export function argumentsOf(source: string): FlowInput[] | undefined {
  const told = EXTEND.exec(source)?.[0];
  if (told === undefined) return undefined;
  const data = valueOf(told) as { extend?: { templateArguments?: unknown } } | undefined;
  const written = data?.extend?.templateArguments;
  return Array.isArray(written) ? written.filter(isArgument) : undefined;
}

function isArgument(value: unknown): value is FlowInput {
  return typeof value === "object" && value !== null && typeof (value as FlowInput).id === "string" && typeof (value as FlowInput).type === "string";
}

/** What was answered, as the server takes it; what was left out has its default. */
export function answersTo(inputs: readonly FlowInput[], values: Values): Record<string, string | string[] | boolean> {
  return Object.fromEntries(
    inputs.flatMap((input) => {
      const value = values[input.id];
      if (value === undefined || value instanceof File || isEmpty(value)) return [];
      const part = Array.isArray(value) || typeof value === "boolean" ? value : toPart(input, value);
      return part === undefined || part instanceof File ? [] : [[input.id, part]];
    }),
  );
}

/** Tags as they are typed, separated by commas. */
export function tagsOf(text: string): string[] {
  return [...new Set(text.split(",").map((one) => one.trim()).filter(Boolean))];
}
