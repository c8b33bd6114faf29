import { describe, expect, it } from "vitest";
import type { Plugin } from "@/api/types";
import { groupsOf, partsOf, typeOf, withoutExamples } from "@/lib/plugins";

const plugin = { name: "penstock", tasks: [{ cls: "a.b.Log", title: "Write a line" }, { cls: "a.b.Echo", title: "Old", deprecated: true }], triggers: [{ cls: "a.c.Schedule", title: "By the clock" }], conditions: [], taskRunners: [] } as Plugin;

describe("groupsOf", () => {
  it("lists types by package in order of their names", () => {
    expect(groupsOf([plugin], "").map((group) => [group.name, group.entries.map((entry) => entry.name)])).toEqual([["a.b", ["Echo", "Log"]], ["a.c", ["Schedule"]]]);
  });

  it("finds a type by what it does", () => expect(groupsOf([plugin], "CLOCK").flatMap((group) => group.entries)).toMatchObject([{ cls: "a.c.Schedule", kind: "triggers" }]));
});

describe("partsOf", () => {
  const schema = {
    properties: {
      title: "Log", required: ["id", "type", "message"],
      properties: {
        retry: { type: "object" }, level: { enum: ["INFO", "WARN"], default: "INFO" }, id: { type: "string" }, type: { const: "a.b.Log" },
        message: { $dynamic: true, anyOf: [{ type: "array", items: { type: "string" } }, { type: "string" }], description: "The text." },
      },
    },
    outputs: { properties: { value: { type: "string" } } },
  };

  it("puts what is needed first and what all types share last", () => {
    expect(partsOf(schema).properties.map((property) => property.name)).toEqual(["id", "message", "level", "retry", "type"]);
  });

  it("says what a property takes", () => {
    const [, message, level] = partsOf(schema).properties;
    expect(message).toMatchObject({ type: "list of string", dynamic: true, required: true, description: "The text." });
    expect(level).toMatchObject({ type: "INFO | WARN", fallback: "INFO", required: false });
  });

  it("knows the outputs", () => expect(partsOf(schema).outputs.map((output) => output.name)).toEqual(["value"]));
});

describe("typeOf", () => {
  it.each([[{ $ref: "#/definitions/Retry" }, "Retry"], [{ type: "object", additionalProperties: { type: "string" } }, "map of string"], [{ anyOf: [{ type: "integer" }, { type: "null" }] }, "integer"], [{}, "any"]])(
    "%o is %s",
    (schema, words) => expect(typeOf(schema)).toBe(words),
  );
});

describe("withoutExamples", () => {
  it("leaves what is said, not what is shown by itself", () => {
    const text = "Sends rows.\n\nIn batches.\n\nSend them all:\n\n```yaml\ntasks: []\n```\n\nNeeds an account.\n\n```yaml\na: b\n```";
    expect(withoutExamples(text)).toBe("Sends rows.\n\nIn batches.\n\nNeeds an account.");
  });
});
