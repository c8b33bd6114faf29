import { describe, expect, it } from "vitest";
import en from "@/i18n/en.json";
import { STATES } from "@/lib/states";

describe("states", () => {
  it("each have a word", () => expect(STATES.filter((state) => !(state in en.states))).toEqual([]));
});
