import { describe, expect, it } from "vitest";
import { languageOf } from "@/lib/languages";
import { afterMove, cleanPath, fileNameOf, flowAt, foldersAbove, movedTabs, parentOf, pathOfFlow, withTab, withoutTab } from "@/lib/paths";

describe("paths of files", () => {
  it("are cleaned as typed, and never lead out of the root", () => {
    expect(cleanPath(" scripts//load.py ")).toBe("/scripts/load.py");
    expect(cleanPath("/a/./b")).toBe("/a/b");
    expect(cleanPath("../etc/passwd")).toBe("");
    expect(cleanPath(" / ")).toBe("");
  });

  it("are named in URIs by escaped characters", () => {
    expect(fileNameOf("kestra:///team/inputs/data/my%20file%20%C3%BC.csv")).toBe("my file ü.csv");
    expect(fileNameOf("kestra:///team/100%.csv")).toBe("100%.csv");
  });

  it("know their folders", () => {
    expect(parentOf("/a/b/c.py")).toBe("/a/b");
    expect(parentOf("/c.py")).toBe("");
    expect(foldersAbove("/a/b/c.py")).toEqual(["/a", "/a/b"]);
  });

  it("follow a moved folder, but not one whose name begins alike", () => {
    expect(afterMove("/a/b/c.py", "/a/b", "/z")).toBe("/z/c.py");
    expect(afterMove("/a/bc.py", "/a/b", "/z")).toBe("/a/bc.py");
  });

  it("show flows as files", () => {
    expect(flowAt(pathOfFlow("orders"))).toBe("orders");
    expect(flowAt("/scripts/_flows/orders.yml")).toBeUndefined();
  });

  it("tell the language by name or ending", () => {
    expect(["a.py", "/x/Dockerfile", "b.TS", "notes"].map(languageOf)).toEqual(["python", "dockerfile", "typescript", "plaintext"]);
  });
});

describe("tabs", () => {
  const tabs = { open: ["/a", "/b", "/c"], active: "/a" };

  it("open behind the one in front, and once", () => {
    expect(withTab(tabs, "/d")).toEqual({ open: ["/a", "/d", "/b", "/c"], active: "/d" });
    expect(withTab(tabs, "/c")).toEqual({ open: ["/a", "/b", "/c"], active: "/c" });
  });

  it("close to the neighbour before, and with the folder they lie in", () => {
    expect(withoutTab({ ...tabs, active: "/b" }, "/b")).toEqual({ open: ["/a", "/c"], active: "/a" });
    expect(withoutTab({ open: ["/x/1", "/x/2", "/y"], active: "/x/2" }, "/x")).toEqual({ open: ["/y"], active: "/y" });
    expect(withoutTab({ open: ["/a"], active: "/a" }, "/a")).toEqual({ open: [], active: "" });
  });

  it("follow what is moved", () => {
    expect(movedTabs({ open: ["/x/1", "/y"], active: "/x/1" }, "/x", "/z")).toEqual({ open: ["/z/1", "/y"], active: "/z/1" });
  });
});
