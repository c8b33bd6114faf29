import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { without, withItem, withMoved, withValue } from "@/lib/yamledit";

const FLOW = `# the flow of orders
id: orders
namespace: shop   # one team's

tasks:
  # first the rows
  - id: load  # reads
    type: io.kestra.plugin.core.log.Log
    message: |
      one
      two

  - id: say
    type: io.kestra.plugin.core.log.Log
    message: hello
  - {id: last, type: io.kestra.plugin.core.log.Log, message: x}
labels:
  team: a
`;

/** Lines of the one text that the other lacks, both ways. */
function changes(after: string, before = FLOW): string[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  return [...old.filter((line) => !now.includes(line)).map((line) => `-${line}`), ...now.filter((line) => !old.includes(line)).map((line) => `+${line}`)];
}

describe("a value of a YAML text", () => {
  it("is changed where it stands, and the comment behind it stays", () => {
    expect(changes(withValue(FLOW, ["namespace"], "shop.sales"))).toEqual(["-namespace: shop   # one team's", "+namespace: shop.sales   # one team's"]);
    expect(changes(withValue(FLOW, ["tasks", 0, "id"], "read"))).toEqual(["-  - id: load  # reads", "+  - id: read  # reads"]);
  });

  it("of several lines replaces one of several lines, and back", () => {
    const longer = withValue(FLOW, ["tasks", 0, "message"], "a\nb\nc\n");
    expect(changes(longer)).toEqual(["-      one", "-      two", "+      a", "+      b", "+      c"]);
    expect(changes(withValue(FLOW, ["tasks", 0, "message"], "short"))).toEqual(["-    message: |", "-      one", "-      two", "+    message: short"]);
    const above = withValue(FLOW, ["namespace"], "a\nb");
    expect(above).toContain("# one team's\nnamespace: |-\n  a\n  b\n");
  });

  it("is added where it is usually written", () => {
    expect(withValue(FLOW, ["description"], "All orders")).toContain("namespace: shop   # one team's\ndescription: All orders\n\ntasks:");
    expect(withValue(FLOW, ["tasks", 1, "disabled"], true)).toContain("    message: hello\n    disabled: true\n");
    expect(withValue(FLOW, ["labels", "env"], "prod")).toMatch(/labels:\n {2}team: a\n {2}env: prod\n$/);
    expect(parse(withValue(FLOW, ["concurrency", "limit"], 2))).toMatchObject({ concurrency: { limit: 2 } });
  });

  it("is changed within braces", () => {
    const after = withValue(FLOW, ["tasks", 2, "message"], "y");
    expect(parse(after)).toMatchObject({ tasks: [{ id: "load" }, { id: "say" }, { id: "last", message: "y" }], labels: { team: "a" } });
    expect(after).toContain("  # first the rows\n  - id: load  # reads");
  });

  it("becomes a map or a list", () => {
    expect(parse(withValue(FLOW, ["tasks", 1, "retry"], { type: "constant", interval: "PT1S" }))).toMatchObject({ tasks: [{}, { retry: { interval: "PT1S" } }, {}] });
    expect(parse(withValue("", ["id"], "x"))).toEqual({ id: "x" });
  });
});

describe("an item of a list", () => {
  it("is added at its end", () => {
    const after = withItem(FLOW, ["tasks"], { id: "new", type: "t", env: { A: "1" } });
    expect(after).toContain("message: x}\n  - id: new\n    type: t\n    env:\n      A: \"1\"\nlabels:");
    expect(parse(withItem(FLOW, ["inputs"], { id: "day", type: "DATE" }))).toMatchObject({ inputs: [{ id: "day", type: "DATE" }] });
    expect(parse(withItem("tasks: []\n", ["tasks"], { id: "a" }))).toEqual({ tasks: [{ id: "a" }] });
  });

  it("is taken out with its comments, and an empty list goes", () => {
    expect(without(FLOW, ["tasks", 1])).toBe(FLOW.replace("  - id: say\n    type: io.kestra.plugin.core.log.Log\n    message: hello\n", ""));
    expect(parse(without(FLOW, ["tasks", 0]))).toMatchObject({ tasks: [{ id: "say" }, { id: "last" }] });
    expect(without(FLOW, ["labels", "team"])).not.toContain("labels");
  });

  it("changes places with its neighbour, comments with it", () => {
    const after = withMoved(FLOW, ["tasks", 0], 1);
    expect((parse(after) as { tasks: { id: string }[] }).tasks.map((task) => task.id)).toEqual(["say", "load", "last"]);
    expect(after).toContain("# first the rows\n  - id: load  # reads");
    expect(withMoved(after, ["tasks", 1], -1).replace(/\n+/g, "\n")).toBe(FLOW.replace(/\n+/g, "\n"));
    expect(withMoved(FLOW, ["tasks", 0], -1)).toBe(FLOW);
  });
});

describe("a property", () => {
  it("is taken out with its line", () => {
    expect(changes(without(FLOW, ["namespace"]))).toEqual(["-namespace: shop   # one team's"]);
    expect(changes(without(FLOW, ["tasks", 0, "message"]))).toEqual(["-    message: |", "-      one", "-      two"]);
  });

  it("that stands behind a dash leaves its place to the next", () => {
    expect(without(FLOW, ["tasks", 1, "id"])).toContain("  - type: io.kestra.plugin.core.log.Log\n    message: hello");
  });

  it("that is not there changes nothing", () => {
    expect(without(FLOW, ["triggers", 0])).toBe(FLOW);
  });
});
