/** Test suites of flows: their names, how they went, and the first one. */
import type { SuiteRun } from "@/api/types";
import { valueOf } from "./source";
import type { Tone } from "./states";

export interface SuiteName {
  readonly namespace: string;
  readonly id: string;
}

export type Verdict = SuiteRun["state"];

/** What each outcome looks like. */
export const VERDICT_TONES: Record<Verdict, Tone> = { SUCCESS: "success", FAILED: "failed", ERROR: "warning", SKIPPED: "skipped" };

export function suiteKeyOf({ namespace, id }: SuiteName): string {
  return `${namespace}/${id}`;
}

/** How many cases went well, of how many that ran. */
export function scoreOf(run: SuiteRun): { passed: number; ran: number } {
  const ran = run.results.filter((one) => one.state !== "SKIPPED");
  return { passed: ran.filter((one) => one.state === "SUCCESS").length, ran: ran.length };
}

/** A value as it is shown beside another: as it is written in JSON, texts as they are. */
export function shownValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

/** The flow that a source tests, as far as it says so. */
export function testedFlow(source: string): SuiteName | undefined {
  const { namespace, flowId } = valueOf(source) ?? {};
  return typeof namespace === "string" && typeof flowId === "string" ? { namespace, id: flowId } : undefined;
}

/** A suite to begin with, of a flow or of none yet. */
export function firstSuite(flow: SuiteName = { namespace: "company.team", id: "my_flow" }): string {
  return `id: ${flow.id}_tests
namespace: ${flow.namespace}
flowId: ${flow.id}
testCases:
  - id: ends_well
    type: io.kestra.core.tests.flow.UnitTest
    # Tasks that are named in fixtures do not run: they end with the outputs given here.
    fixtures:
      inputs: {}
      tasks: []
    assertions:
      - value: "{{ execution.state }}"
        equalTo: SUCCESS
`;
}
