import { describe, expect, it } from "vitest";
import { named, namesOf, narrowed, suggestionsAt, type Names } from "@/lib/completion";

const names: Names = namesOf({
  inputs: [{ id: "day", type: "DATE" }], variables: { table: "orders" }, labels: { team: "a" },
  tasks: [{ id: "both", type: "io.x.Parallel", tasks: [{ id: "load", type: "io.x.Load" }] }],
});

/** The suggestions at the bar of a text. */
function at(text: string) {
  const offset = text.indexOf("¦");
  return suggestionsAt(text.replace("¦", ""), offset, names);
}
const labels = (text: string) => at(text)?.suggestions.map((one) => one.label) ?? [];

describe("completion of expressions", () => {
  it("offers roots and functions where an expression begins", () => {
    expect(labels("message: '{{ ¦ }}'")).toEqual(expect.arrayContaining(["inputs", "outputs"]));
    expect(labels("{{ sec¦").some((label) => label.startsWith("secret("))).toBe(true);
    expect(at("{{ sec¦")?.from).toBe(3);
  });

  it("offers the names of the flow behind a dot", () => {
    expect(labels("{{ inputs.¦ }}")).toEqual(["day"]);
    expect(labels("{{ vars.t¦")).toEqual(["table"]);
    expect(labels("{{ labels.¦")).toEqual(["team"]);
    expect(labels("{{ outputs.¦")).toEqual(["both", "load"]);
    expect(labels("{{ taskrun.¦")).toContain("value");
  });

  it("asks for the outputs of the type of a task", () => {
    expect(at("{{ outputs.load.¦ }}")?.outputsOf).toBe("io.x.Load");
    expect(at("{{ outputs.unknown.¦ }}")?.outputsOf).toBeUndefined();
  });

  it("offers filters behind a bar", () => {
    expect(labels("{{ inputs.day | ¦ }}").some((label) => label.startsWith("upper"))).toBe(true);
    expect(labels("{{ inputs.day | ¦ }}")).not.toContain("inputs");
  });

  it("narrows what it offers in forms to what is typed, beginnings first (UI-092)", () => {
    const offered = narrowed(named(["redo", "Do", "done", "other"]), "do", 2);
    expect(offered.map((one) => one.label)).toEqual(["Do", "done"]);
    expect(narrowed(named(["redo", "done"]), "do", 5).map((one) => one.label)).toEqual(["done", "redo"]);
  });

  it("keeps silent outside of expressions and in their strings", () => {
    expect(at("message: hello ¦")).toBeUndefined();
    expect(at("{{ inputs.day }} and ¦")).toBeUndefined();
    expect(at("{{ secret('¦ }}")).toBeUndefined();
  });
});
