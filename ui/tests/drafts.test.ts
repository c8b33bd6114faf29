import { describe, expect, it } from "vitest";
import { draftName, draftSlot, placeOfDraft, subjectOf, writtenId, type Draft } from "@/lib/drafts";

function draft(name: string, revision: number | null): Draft {
  return { name, revision, version: "1", source: "id: hello\n", updated: "2026-11-21T00:00:00Z" };
}

describe("a draft (BEY-043)", () => {
  it("is named by its flow, or by what a new one began with", () => {
    const subjects = [{ flow: { namespace: "company.team", id: "hello" } }, { origin: "" }, { origin: "every-morning" }];
    expect(subjects.map(draftName)).toEqual(["main:company.team:hello", "main:new:", "main:new:every-morning"]);
    expect(subjects.map(draftSlot)).toEqual(["penstock.draft.company.team/hello", "penstock.draft.new", "penstock.draft.new.every-morning"]);
  });

  it("tells what it is of by its name", () => {
    expect(subjectOf(draft("main:company.team:hello", 3))).toEqual({ flow: { namespace: "company.team", id: "hello" } });
    expect(subjectOf(draft("main:new:a%2Fb", null))).toEqual({ origin: "a/b" });
  });

  it("of a flow in a namespace called new is not taken for a new flow", () => {
    expect(subjectOf(draft("main:new:hello", 1))).toEqual({ flow: { namespace: "new", id: "hello" } });
  });

  it("is gone on with where it was written", () => {
    expect(placeOfDraft(draft("main:company.team:hello", 3), false)).toEqual({ name: "flow", params: { namespace: "company.team", id: "hello", tab: "edit" } });
    expect(placeOfDraft(draft("main:new:", null), false)).toEqual({ name: "flow-new", query: {} });
    expect(placeOfDraft(draft("main:new:every-morning", null), false)).toEqual({ name: "flow-new", query: { blueprint: "every-morning" } });
    const own = draft(draftName({ origin: 'own.shop.v2.{"day":1}' }), null);
    expect(placeOfDraft(own, false)).toEqual({ name: "flow-new", query: { own: "shop.v2" }, state: { answers: '{"day":1}' } });
  });

  it("whose flow was deleted becomes a new one", () => {
    expect(placeOfDraft(draft("main:company.team:hello", 3), true)).toEqual({ name: "flow-new", query: { draft: "main:company.team:hello" } });
  });

  it("tells the id it gives its flow", () => expect([writtenId("# a\nid: 'hello'\n"), writtenId("tasks: []")]).toEqual(["hello", undefined]));
});
