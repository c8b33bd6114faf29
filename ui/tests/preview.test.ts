import { describe, expect, it } from "vitest";
import type { FilePreview } from "@/api/types";
import { shownOf } from "@/lib/preview";

const preview = (type: FilePreview["type"], content: unknown, extension = "ion"): FilePreview => ({ type, content, extension, truncated: false });

describe("shownOf", () => {
  it("makes a table of records with all their names", () => {
    expect(shownOf(preview("LIST", [{ a: 1 }, { a: 2, b: { c: 3 } }]))).toEqual({ kind: "table", columns: ["a", "b"], rows: [["1", ""], ["2", '{"c":3}']] });
  });

  it("makes a table of one column of anything else", () => {
    expect(shownOf(preview("LIST", ["x", 2]))).toEqual({ kind: "table", columns: ["value"], rows: [["x"], ["2"]] });
  });

  it("shows pictures without asking for them again", () => expect(shownOf(preview("IMAGE", "abc", "png"))).toEqual({ kind: "picture", url: "data:image/png;base64,abc" }));
  it("shows the rest as text", () => expect(shownOf(preview("TEXT", "hello"))).toEqual({ kind: "text", text: "hello" }));
});
