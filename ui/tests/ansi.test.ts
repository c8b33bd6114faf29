import { describe, expect, it } from "vitest";
import { pieces } from "@/lib/ansi";

const ESC = "\u001b[";

describe("pieces", () => {
  it("leave plain text as it is", () => expect(pieces("all is well")).toEqual([{ text: "all is well" }]));

  it("have the colour that was in force where they begin", () => {
    expect(pieces(`${ESC}31mred${ESC}0m plain ${ESC}1;32mbold green`)).toEqual([
      { text: "red", colour: "red" }, { text: " plain " }, { text: "bold green", bold: true, colour: "green" },
    ]);
  });

  it("show bright colours like the others and bright black as faint", () => {
    expect(pieces(`${ESC}94mblue${ESC}90mgrey`)).toEqual([{ text: "blue", colour: "blue" }, { text: "grey", faint: true }]);
  });

  it("pass over the numbers of larger palettes", () => {
    expect(pieces(`${ESC}38;5;31mone${ESC}48;2;31;32;33mtwo${ESC}1mthree`)).toEqual([{ text: "one" }, { text: "two" }, { text: "three", bold: true }]);
  });

  it("leave out codes that move the cursor", () => expect(pieces(`a${ESC}2Kb`).map((piece) => piece.text).join("")).toBe("ab"));
});
