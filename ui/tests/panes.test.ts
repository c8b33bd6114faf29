import { describe, expect, it } from "vitest";
import { moved, PANES, panesOf, toggled, type Pane } from "@/lib/panes";

describe("panes (UI-070)", () => {
  it.each([
    ["topology,source", ["topology", "source"]], ["source,source,nothing", ["source"]], ["source,form,topology,files", ["source", "form", "topology"]], ["nothing", undefined], [undefined, undefined],
  ])("are those that an address names, in its order: %s", (text, panes) => expect(panesOf(PANES, text)).toEqual(panes));

  it("open at the end; one too many takes the place of the last that is not the source", () => {
    expect(toggled<Pane>(["topology"], "source")).toEqual(["topology", "source"]);
    expect(toggled(["form", "topology", "source"], "files")).toEqual(["form", "files", "source"]);
  });

  it("close, except for the last one", () => {
    expect(toggled(["source", "form"], "source")).toEqual(["form"]);
    expect(toggled(["form"], "form")).toEqual(["form"]);
  });

  it("change places with their neighbour", () => {
    expect(moved(["source", "form", "files"], "files", -1)).toEqual(["source", "files", "form"]);
    expect(moved(["source", "form"], "form", 1)).toEqual(["source", "form"]);
  });
});
