import { describe, expect, it } from "vitest";
import { keyExpression, variablesOf } from "@/lib/values";

describe("values of a namespace (UI-077)", () => {
  it("are read by expressions that name every step, in brackets where it is no word", () => {
    expect(variablesOf({ region: "eu", db: { port: 5432, "read-only": true }, empty: {}, list: [1] })).toEqual([
      { name: "region", value: "eu", expression: "{{ namespace.region }}" },
      { name: "db.port", value: "5432", expression: "{{ namespace.db.port }}" },
      { name: "db.read-only", value: "true", expression: "{{ namespace.db['read-only'] }}" },
      { name: "empty", value: "{}", expression: "{{ namespace.empty }}" },
      { name: "list", value: "[1]", expression: "{{ namespace.list }}" },
    ]);
    expect(keyExpression("last.run")).toBe("{{ kv('last.run') }}");
  });
});
