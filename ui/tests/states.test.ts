import { describe, expect, it } from "vitest";
import en from "@/i18n/en.json";
import { actionsFor, hasEnded, STATES } from "@/lib/states";

describe("states", () => {
  it("each have a word", () => expect(STATES.filter((state) => !(state in en.states))).toEqual([]));

  it("that have ended cannot be killed or paused", () => {
    const offered = STATES.filter(hasEnded).flatMap(actionsFor);
    expect(offered).not.toContain("kill");
    expect(offered).not.toContain("pause");
  });

  it("offer resuming only for a pause, restarting only for what did not end well", () => {
    expect(STATES.filter((state) => actionsFor(state).includes("resume"))).toEqual(["PAUSED"]);
    expect(STATES.filter((state) => actionsFor(state).includes("restart"))).toEqual(["KILLED", "FAILED"]);
  });
});
