import { describe, expect, it } from "vitest";
import { bodyOf, faultOf, textOf } from "@/lib/keyvalues";
import { languageOf } from "@/lib/languages";

describe("values of the store", () => {
  it("are shown as text, strings without quotes", () => expect([textOf("a"), textOf(5), textOf({ a: 1 }), textOf(null)]).toEqual(["a", "5", '{\n  "a": 1\n}', ""]));
  it("are sent so that a string stays a string", () => expect([bodyOf("STRING", "5"), bodyOf("NUMBER", " 5 "), bodyOf("JSON", '{"a":1}')]).toEqual(['"5"', "5", '{"a":1}']));

  it.each([["NUMBER", "x", "inputs.notNumber"], ["NUMBER", "1.5", undefined], ["BOOLEAN", "yes", "kv.notBoolean"], ["JSON", "{", "inputs.notJson"], ["DATE", " ", "inputs.required"], ["STRING", "", undefined]] as const)(
    "are checked by their type: %s %o",
    (type, text, fault) => expect(faultOf(type, text)).toBe(fault),
  );
});

describe("languageOf", () => {
  it("goes by the ending", () => expect(["/a/load.py", "/q.SQL", "/x.json", "/README"].map(languageOf)).toEqual(["python", "sql", "yaml", "plaintext"]));
});
