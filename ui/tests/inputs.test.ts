import { describe, expect, it } from "vitest";
import type { FlowInput } from "@/api/types";
import { controlFor, faultOf, initialValue, repeatedValue, toFormData, toPart, type Value } from "@/lib/inputs";

const input = (type: string, extra: Partial<FlowInput> = {}): FlowInput => ({ id: "x", type, ...extra });

describe("controlFor", () => {
  it.each([
    ["STRING", "text"], ["INT", "number"], ["BOOL", "toggle"], ["BOOLEAN", "choice"], ["ENUM", "select"], ["MULTISELECT", "multiselect"], ["DATETIME", "datetime"],
    ["FILE", "file"], ["JSON", "json"], ["ARRAY", "list"], ["SECRET", "password"], ["SOMETHING_NEW", "text"],
  ])("gives %s a %s", (type, control) => expect(controlFor(input(type))).toBe(control));
});

describe("initialValue", () => {
  it.each<[FlowInput, Value]>([
    [input("STRING", { defaults: "world" }), "world"],
    [input("INT", { defaults: 3 }), "3"],
    [input("BOOL"), false],
    [input("BOOL", { defaults: "true" }), true],
    [input("BOOLEAN"), undefined],
    [input("STRING", { prefill: "again" }), "again"],
    [input("ARRAY", { defaults: "[1, 2]" }), ["1", "2"]],
    [input("JSON", { defaults: { a: 1 } }), '{\n  "a": 1\n}'],
    [input("SELECT", { values: ["a", "b"], autoSelectFirst: true }), "a"],
    [input("DATE", { defaults: "{{ now() }}" }), undefined],
  ])("starts %o with %o", (declared, value) => expect(initialValue(declared)).toEqual(value));
});

describe("repeatedValue", () => {
  it("is the earlier value, also of a nested input", () => {
    expect(repeatedValue(input("INT", { id: "size", defaults: 1 }), { size: 7 })).toBe("7");
    expect(repeatedValue(input("STRING", { id: "db.name" }), { db: { name: "orders" } })).toBe("orders");
  });

  it("is the default where there was none, and never a secret's", () => {
    expect(repeatedValue(input("INT", { defaults: 1 }), {})).toBe("1");
    expect(repeatedValue(input("SECRET"), { x: "hidden" })).toBeUndefined();
  });
});

describe("faultOf", () => {
  it.each<[FlowInput, Value, string | undefined]>([
    [input("STRING"), "", "inputs.required"],
    [input("STRING", { required: false }), "", undefined],
    [input("STRING", { defaults: "d" }), undefined, undefined],
    [input("INT"), "1.5", "inputs.notInteger"],
    [input("FLOAT"), "abc", "inputs.notNumber"],
    [input("INT", { min: 18, max: 64 }), "17", "inputs.tooSmall"],
    [input("INT", { min: 18, max: 64 }), "65", "inputs.tooLarge"],
    [input("INT", { min: 18, max: 64 }), "64", undefined],
    [input("JSON"), "{", "inputs.notJson"],
    [input("DURATION"), "5m", "inputs.notDuration"],
    [input("EMAIL"), "ada", "inputs.notEmail"],
    [input("SELECT", { values: ["a"] }), "b", "inputs.notOffered"],
    [input("SELECT", { values: ["a"], allowCustomValue: true }), "b", undefined],
    [input("STRING", { validator: "student(\\d+)?" }), "student12x", "inputs.noMatch"],
    [input("STRING", { validator: "(?<bad" }), "anything", undefined],
    [input("FILE", { allowedFileExtensions: [".csv"] }), new File([""], "a.txt"), "inputs.wrongExtension"],
  ])("judges %o with %o", (declared, value, key) => expect(faultOf(declared, value)?.key).toBe(key));
});

describe("toFormData", () => {
  it("sends what was answered, and nothing for what was not", () => {
    const inputs = [input("STRING", { id: "a" }), input("BOOL", { id: "b" }), input("STRING", { id: "c" }), input("MULTISELECT", { id: "d" })];
    const form = toFormData(inputs, { a: "1", b: false, c: "", d: ["x", "y"] });
    expect([...form.entries()]).toEqual([["a", "1"], ["b", "false"], ["d", '["x","y"]']]);
  });

  it("sends a file under its input's name with its own name", () => {
    const form = toFormData([input("FILE")], { x: new File(["hi"], "test.txt") });
    expect((form.get("x") as File).name).toBe("test.txt");
  });

  it("sends a local date and time as UTC", () => {
    expect(toPart(input("DATETIME"), "2026-01-01T10:00:00")).toBe(new Date("2026-01-01T10:00:00").toISOString());
  });
});
