import { describe, expect, it } from "vitest";
import { isMissingScript, mayLoadAnew } from "@/router/missingScripts";

function memory(): Pick<Storage, "getItem" | "setItem"> {
  const kept = new Map<string, string>();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
}

describe("a script that did not arrive", () => {
  it.each(["Failed to fetch dynamically imported module: http://a/b.js", "error loading dynamically imported module: http://a/b.js", "Importing a module script failed.", "Unable to preload CSS for /a.css"])(
    "is told by what browsers say: %s",
    (message) => expect(isMissingScript(new TypeError(message))).toBe(true),
  );
  it("is no other error", () => expect([isMissingScript(new TypeError("x is undefined")), isMissingScript("text")]).toEqual([false, false]));
});

describe("loading anew", () => {
  it("happens three times within a minute, and again later", () => {
    const kept = memory();
    expect([1, 2, 3, 4].map((second) => mayLoadAnew(kept, second * 1000))).toEqual([true, true, true, false]);
    expect(mayLoadAnew(kept, 62_000)).toBe(true);
  });
});
