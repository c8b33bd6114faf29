import { describe, expect, it } from "vitest";
import { problem, problemsOf } from "@/lib/problems";

describe("problems", () => {
  it.each([
    ["tasks[0].type is unknown (line 12, column 5)", 12, 5], ["line 3: missing", 3, undefined], ["flow.yaml:7:2 bad indent", 7, 2], ["no place named at 10:30", undefined, undefined],
  ])("find the place in %o", (text, line, column) => expect(problem("error", text)).toMatchObject({ line, column }));

  it("list errors before warnings, one a line", () => {
    const found = problemsOf([{ index: 0, constraints: "line 1: a\nline 2: b", warnings: ["old name"] }]);
    expect(found.map((one) => [one.severity, one.message])).toEqual([["error", "line 1: a"], ["error", "line 2: b"], ["warning", "old name"]]);
  });

  it("are none for a valid flow", () => expect(problemsOf([{ index: 0, constraints: null }])).toEqual([]));
});
