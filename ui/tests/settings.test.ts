import { describe, expect, it } from "vitest";
import { FIRST_SETTINGS, readSettings } from "@/lib/settings";

describe("settings", () => {
  it.each([null, "", "{", "null", "[1]", "42"])("are those of a new reader when what was kept is unreadable: %o", (kept) => expect(readSettings(kept)).toEqual(FIRST_SETTINGS));

  it("keep what was chosen and what is new at its first value", () => {
    expect(readSettings(JSON.stringify({ theme: "dark", pageSize: 100 }))).toEqual({ ...FIRST_SETTINGS, theme: "dark", pageSize: 100 });
  });

  it.each([{ theme: "pink" }, { pageSize: 7 }, { editorFontSize: 2 }, { editorFontSize: "13" }, { timeZone: "Middle/Earth" }, { hiddenColumns: "id" }, { searches: null }, { unknown: 1 }])(
    "leave out what is not allowed: %o",
    (kept) => expect(readSettings(JSON.stringify(kept))).toEqual(FIRST_SETTINGS),
  );

  it("are nobody else's: what one reader changes is not the first value of the next", () => {
    readSettings(null).hiddenColumns.push("id");
    expect(readSettings(null).hiddenColumns).toEqual([]);
  });
});
