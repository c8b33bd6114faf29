import { describe, expect, it } from "vitest";
import { choicesOf, fieldsOf, newItem, resolved, schemaAt, type Schema } from "@/lib/schema";
import { flowOf, lineOf, pathOfId, placeAt, sourceOf } from "@/lib/source";

const FLOW = `id: orders
namespace: shop
inputs:
  - id: day
    type: DATE
tasks:
  - id: both
    type: io.x.Parallel
    tasks:
      - id: load
        type: io.x.Load
        options:
          limit: 3
triggers:
  - id: hook
    type: io.x.Webhook
    key: abc
`;
const at = (text: string) => placeAt(FLOW, FLOW.indexOf(text));

describe("the source of a flow", () => {
  it("tells the type and the property around the cursor", () => {
    expect(at("limit: 3")).toEqual({ path: ["tasks", 0, "tasks", 0, "options", "limit"], type: "io.x.Load", property: "options" });
    expect(at("- id: load")).toMatchObject({ type: "io.x.Load" });
    expect(at("io.x.Parallel")).toMatchObject({ type: "io.x.Parallel", property: "type" });
    expect(at("key: abc")).toMatchObject({ type: "io.x.Webhook", property: "key" });
    expect(at("DATE")).toEqual({ path: ["inputs", 0, "type"], type: undefined, property: undefined });
  });

  it("finds tasks and triggers by their ids", () => {
    expect(pathOfId(FLOW, "load")).toEqual(["tasks", 0, "tasks", 0]);
    expect(pathOfId(FLOW, "orders")).toBeUndefined();
    expect(lineOf(FLOW, ["triggers", 0])).toBe(15);
  });

  it("is drawn as far as it is written, and not while it is no YAML", () => {
    const flow = flowOf("id: x\ntasks:\n  - id: a\n    type: t\n  - id: half\n  - nothing\n");
    expect(flow?.tasks?.map((task) => task.id)).toEqual(["a"]);
    expect(flowOf("id: [x")).toBeUndefined();
  });
});

const SCHEMA: Schema = {
  properties: { id: { type: "string" }, tasks: { type: "array", items: { $ref: "#/definitions/task" } }, retry: { oneOf: [{ $ref: "#/definitions/Constant" }], discriminator: { propertyName: "type", mapping: { constant: "#/definitions/Constant" } } }, revision: { type: "integer" } },
  required: ["id", "tasks"],
  definitions: {
    task: {
      required: ["id", "type"], properties: { type: { type: "string", anyOf: [{ enum: ["io.x.Load"] }, { enum: ["io.old.Load"], deprecated: true }] } },
      allOf: [{ if: { properties: { type: { enum: ["io.x.Load", "io.old.Load"] } } }, then: { $ref: "#/definitions/io.x.Load" } }],
    },
    "io.x.Load": { properties: { id: { type: "string" }, type: { const: "io.x.Load" }, limit: { type: "integer" }, on: { anyOf: [{ type: "boolean" }, { type: "string" }], $dynamic: true }, env: { type: "object" }, mode: { enum: ["A", "B"], default: "A" } }, required: ["id", "type", "limit"] },
    Constant: { properties: { type: { const: "constant" }, interval: { type: "string" } }, required: ["interval"] },
  },
};

describe("the schema of flows", () => {
  const document = { id: "x", tasks: [{ id: "a", type: "io.old.Load" }], retry: { type: "constant" } };

  it("is read by what stands at a place", () => {
    expect(fieldsOf(SCHEMA, schemaAt(SCHEMA, ["tasks", 0], document)).map(({ name, kind }) => [name, kind])).toEqual([["id", "text"], ["type", "choice"], ["limit", "number"], ["on", "boolean"], ["env", "yaml"], ["mode", "choice"]]);
    expect(fieldsOf(SCHEMA, schemaAt(SCHEMA, ["retry"], document)).map(({ name }) => name)).toEqual(["type", "interval"]);
  });

  it("gives lists, maps and what must be there; never what the server maintains", () => {
    expect(fieldsOf(SCHEMA, SCHEMA).map(({ name, kind, required }) => [name, kind, required])).toEqual([["id", "text", true], ["tasks", "items", true], ["retry", "map", false]]);
  });

  it("offers no older names", () => {
    expect(choicesOf((resolved(SCHEMA, { $ref: "#/definitions/task" }).properties as Record<string, Schema>).type ?? {})).toEqual(["io.x.Load"]);
  });

  it("begins an item with an id that is free", () => {
    expect(newItem(SCHEMA, schemaAt(SCHEMA, ["tasks"], document), "task", [{ id: "task_1" }])).toEqual({ id: "task_2", type: "" });
  });
});

describe("sourceOf", () => {
  it("is a task's part of the text at the left margin, and the line it begins at", () => {
    expect(sourceOf(FLOW, "load")).toEqual({ text: "id: load\ntype: io.x.Load\noptions:\n  limit: 3", line: 10 });
  });

  it("is not known of what the source does not name", () => expect(sourceOf(FLOW, "other")).toBeUndefined());
});
