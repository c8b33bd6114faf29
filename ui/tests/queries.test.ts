import { QueryObserver } from "@tanstack/vue-query";
import { describe, expect, it } from "vitest";
import { ServerState } from "@/api/queries";

/** A folder whose listing is asked for, and answered when the test says so. */
function folder() {
  const answers: ((files: string[]) => void)[] = [];
  const queries = new ServerState();
  const options = { queryKey: ["files", "/queries"], queryFn: () => new Promise<string[]>((resolve) => void answers.push(resolve)) };
  const observer = new QueryObserver(queries, options);
  return { answers, queries, observer, stop: observer.subscribe(() => undefined) };
}

describe("what the server said", () => {
  it("is asked for again when something changed while the first answer was on its way", async () => {
    const { answers, queries, observer, stop } = folder();
    const changed = queries.invalidateQueries({ queryKey: ["files"] });
    await expect.poll(() => answers.length).toBe(1);
    answers[0]?.([]);
    await expect.poll(() => answers.length).toBe(2);
    answers[1]?.(["orders.sql"]);
    await changed;
    expect(observer.getCurrentResult().data).toEqual(["orders.sql"]);
    stop();
  });

  it("is asked for once when it was there before the change", async () => {
    const { answers, queries, observer, stop } = folder();
    answers[0]?.([]);
    await expect.poll(() => observer.getCurrentResult().data).toEqual([]);
    const changed = queries.invalidateQueries({ queryKey: ["files"] });
    await expect.poll(() => answers.length).toBe(2);
    answers[1]?.(["orders.sql"]);
    await changed;
    expect(answers).toHaveLength(2);
    stop();
  });

  it("is left alone when something else changed", async () => {
    const { answers, queries, stop } = folder();
    await queries.invalidateQueries({ queryKey: ["flows"] });
    expect(answers).toHaveLength(1);
    stop();
  });
});
