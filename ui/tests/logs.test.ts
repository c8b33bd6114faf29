import { describe, expect, it } from "vitest";
import { cutAt, plainText } from "@/lib/logs";

describe("plainText", () => {
  it("drops terminal colours", () => expect(plainText("\u001b[31mred\u001b[0m")).toBe("red"));
});

describe("cutAt", () => {
  it("parts a text where another one occurs, in any case of letters", () => {
    expect(cutAt("Rows: 3 rows", "rows")).toEqual(["", "Rows", ": 3 ", "rows", ""]);
  });

  it("leaves a text whole that holds nothing of it, or when nothing is looked for", () => {
    expect(cutAt("abc", "x")).toEqual(["abc"]);
    expect(cutAt("abc", "")).toEqual(["abc"]);
    expect(cutAt("İx", "x")).toEqual(["İx"]);
  });
});
