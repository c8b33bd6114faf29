/** Problems of a flow's source, from the API's validation, with the place each one stands at. */
import { readProblems, type ApiProblem } from "@/api/errors";
import type { Violation } from "@/api/types";

export type Severity = "error" | "warning" | "info";

export interface Problem {
  readonly severity: Severity;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
  readonly hint?: string;
}

const PLACE = /\bline\s+(\d+)(?:\s*[,:]?\s*(?:column|col)\s+(\d+))?|^(?:[\w./-]+:)?(\d+):(\d+)\b/i;

/** All problems a validation names, errors first. */
export function problemsOf(violations: readonly Violation[]): Problem[] {
  return violations.flatMap((violation) => (violation.problems ? problemsOfError(readProblems(violation.problems)) : fromTexts(violation)));
}

/** For servers that answer with texts alone. */
function fromTexts(violation: Violation): Problem[] {
  return [
    ...lines(violation.constraints).map((text) => problem("error", text)),
    ...(violation.warnings ?? []).map((text) => problem("warning", text)),
    ...(violation.deprecationPaths ?? []).map((text) => problem("warning", text)),
    ...(violation.infos ?? []).map((text) => problem("info", text)),
  ];
}

/** A message with the place it names, if it names one. */
export function problem(severity: Severity, message: string): Problem {
  const match = PLACE.exec(message);
  const line = match?.[1] ?? match?.[3];
  const column = match?.[2] ?? match?.[4];
  return { severity, message, line: line ? Number(line) : undefined, column: column ? Number(column) : undefined };
}

/** The problems a refused save names. */
export function problemsOfError(problems: readonly ApiProblem[]): Problem[] {
  return problems.map(({ severity, message, hint, path, line, column }) => ({
    severity: severity === "error" ? "error" : severity === "info" ? "info" : "warning",
    message: path ? `${path}: ${message}` : message,
    hint,
    line,
    column,
  }));
}

function lines(text: string | null | undefined): string[] {
  return (text ?? "").split("\n").map((line) => line.trim()).filter((line) => line !== "");
}
