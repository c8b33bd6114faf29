import { describe, expect, it } from "vitest";
import { tagsOf, textOfTags } from "@/lib/labels";

describe("tags of a secret (ENG-374)", () => {
  it("are typed as names with values and read back as they were", () => {
    const tags = [{ key: "owner", value: "ops" }, { key: "url", value: "https://x" }];
    expect(tagsOf("owner:ops, url:https://x,")).toEqual(tags);
    expect(textOfTags(tags)).toBe("owner:ops, url:https://x");
    expect(tagsOf("")).toEqual([]);
  });

  it("are nothing when one lacks its name or its value", () => {
    expect(tagsOf("owner")).toBeUndefined();
    expect(tagsOf("owner:ops, :x")).toBeUndefined();
  });
});
