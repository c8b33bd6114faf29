import { describe, expect, it } from "vitest";
import { plainLine } from "@/lib/plain";

describe("plainLine", () => {
  it.each([
    ["Loads the orders, **cleans** them and tells the *shops*.\n\nMore.", "Loads the orders, cleans them and tells the shops."],
    ["# A title", "A title"],
    ["Needs `penstock[amqp]`, see [the guide](https://example.com).", "Needs penstock[amqp], see the guide."],
    ["2 * 3 * 4 and snake_case_names stay", "2 * 3 * 4 and snake_case_names stay"],
    ["", ""],
  ])("takes the marks from %j", (text, plain) => {
    expect(plainLine(text)).toBe(plain);
  });
});
