import { describe, expect, it } from "vitest";
import { dashboardSourceFor, sourceFor } from "@/lib/blueprints";

const BLUEPRINT = "id: first\nnamespace: company.team\ntasks:\n  - id: greet\n    namespace: inner\n";

describe("a blueprint's source", () => {
  it("stays as it is for a new flow", () => expect(sourceFor(BLUEPRINT)).toBe(BLUEPRINT));
  it("takes the names of the flow it goes into, and leaves those of its tasks", () => {
    expect(sourceFor(BLUEPRINT, { namespace: "my.$&team", id: "mine" })).toBe("id: mine\nnamespace: my.$&team\ntasks:\n  - id: greet\n    namespace: inner\n");
  });
  it("takes the id of the dashboard it goes into", () => {
    expect(dashboardSourceFor("id: one\ntitle: One\n", "home")).toBe("id: home\ntitle: One\n");
    expect(dashboardSourceFor("id: one\n")).toBe("id: one\n");
  });
});
