import { describe, expect, it } from "vitest";
import { explainedAt, fieldsOf, newItem, schemaAt, type Schema } from "@/lib/schema";
import { withName } from "@/lib/yamledit";

const kinds = { "chart.KPI": "#/definitions/Kpi", "chart.Bar": "#/definitions/Bar" };
const root: Schema = {
  type: "object", properties: { title: { type: "string" }, charts: { type: "array", items: { oneOf: Object.values(kinds).map(($ref) => ({ $ref })), discriminator: { propertyName: "type", mapping: kinds } } } },
  definitions: {
    Kpi: { description: "One number.", properties: { id: { type: "string" }, type: { const: "chart.KPI" }, options: { $ref: "#/definitions/Options" } }, required: ["id", "type", "options"] },
    Bar: { description: "Bars.", properties: { id: { type: "string" }, type: { const: "chart.Bar" }, columns: { type: "object", additionalProperties: { $ref: "#/definitions/Column" } } }, required: ["id", "type"] },
    Options: { description: "How it is shown.", properties: { width: { type: "integer" } } },
    Column: { properties: { field: { anyOf: [{ enum: ["ID", "STATE"] }, { type: "null" }] } } },
  },
};
const document = { title: "t", charts: [{ id: "a", type: "chart.KPI", options: { width: 3 } }, { id: "b", type: "chart.Bar", columns: { total: { field: "ID" } } }] };

describe("the schema of dashboards as a form (UI-035)", () => {
  it("asks for the type of a chart first, and then for what that type has", () => {
    const item = newItem(root, (root.properties as Record<string, Schema>).charts ?? {}, "chart", document.charts);
    expect(item).toEqual({ id: "chart_1", type: "" });
    const undecided = fieldsOf(root, schemaAt(root, ["charts", 0], { charts: [item] }));
    expect(undecided.map(({ name, choices }) => [name, choices])).toEqual([["type", ["chart.KPI", "chart.Bar"]]]);
    expect(fieldsOf(root, schemaAt(root, ["charts", 0], document)).map(({ name, kind }) => [name, kind])).toEqual([["id", "text"], ["type", "choice"], ["options", "map"]]);
  });

  it("knows maps whose entries have names of their own", () => {
    expect(fieldsOf(root, schemaAt(root, ["charts", 1], document)).find(({ name }) => name === "columns")?.kind).toBe("entries");
    expect(fieldsOf(root, schemaAt(root, ["charts", 1, "columns", "total"], document)).map(({ name, choices }) => [name, choices])).toEqual([["field", ["ID", "STATE"]]]);
    const text = "charts:\n  - columns:\n      total: {field: ID} # all\n      state:\n        field: STATE\n";
    expect(withName(text, ["charts", 0, "columns", "total"], "sum")).toBe(text.replace("total:", "sum:"));
    expect(withName(text, ["charts", 0, "columns", "total"], "state")).toBe(text);
  });
});

describe("what explains a place (UI-034)", () => {
  it("is the nearest schema around it, and the property it is in", () => {
    expect(explainedAt(root, ["charts", 0, "options", "width"], document)).toMatchObject({ schema: { description: "How it is shown." }, path: ["charts", 0, "options"], property: "width" });
    expect(explainedAt(root, ["charts", 1], document)).toMatchObject({ schema: { description: "Bars." }, path: ["charts", 1] });
    expect(explainedAt(root, ["title"], document)).toMatchObject({ path: [], property: "title" });
  });
});
