import { describe, expect, it } from "vitest";
import { Heights } from "@/lib/heights";

function heights(count: number): Heights {
  const made = new Heights(20);
  made.resize(count);
  return made;
}

describe("Heights", () => {
  it("takes unknown rows to be as high as the estimate", () => {
    const million = heights(1_000_000);
    expect(million.total).toBe(20_000_000);
    expect(million.at(10_000_019)).toBe(500_000);
    expect(million.before(500_000)).toBe(10_000_000);
  });

  it("moves what lies below a row that is higher than thought", () => {
    const some = heights(10);
    some.set(3, 100);
    some.set(3, 90);
    expect([some.before(3), some.before(4), some.total]).toEqual([60, 150, 270]);
    expect([some.at(59), some.at(60), some.at(149), some.at(150)]).toEqual([2, 3, 3, 4]);
  });

  it("keeps what it knows while rows are added, and drops what is removed", () => {
    const growing = heights(10);
    growing.set(2, 50);
    growing.resize(5_000);
    expect(growing.before(5_000)).toBe(100_030);
    growing.resize(2);
    expect([growing.total, growing.isKnown(2)]).toEqual([40, false]);
  });

  it("ends at the last row, however far one asks", () => {
    expect(heights(3).at(1_000)).toBe(2);
    expect(heights(0).at(5)).toBe(0);
  });
});
