import { describe, expect, it } from "vitest";
import { errorFrom } from "@/api/errors";

const response = (status: number, headers: Record<string, string> = {}): Response => new Response(null, { status, headers });

describe("errorFrom", () => {
  it("keeps message, hint, code, places and request id", () => {
    const body = { message: "Invalid flow", code: "flow.invalid", hint: "Fix it", problems: [{ severity: "error", message: "unknown type", path: "tasks[0].type", line: 4, column: 7 }] };
    const error = errorFrom(response(422, { "x-request-id": "abc" }), body);
    expect(error).toMatchObject({ status: 422, message: "Invalid flow", code: "flow.invalid", hint: "Fix it", requestId: "abc" });
    expect(error.problems).toEqual([{ severity: "error", message: "unknown type", path: "tasks[0].type", line: 4, column: 7, hint: undefined }]);
    expect(error.fields).toEqual([{ field: "tasks[0].type", message: "unknown type" }]);
  });

  it("has a message even for an empty answer", () => expect(errorFrom(response(502), undefined).message).toContain("502"));
});
