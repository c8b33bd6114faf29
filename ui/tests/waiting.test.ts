import { describe, expect, it } from "vitest";
import type { Blocker } from "@/api/types";
import { webhookCommand, webhookUrl } from "@/lib/commands";
import { upstreamOf } from "@/lib/triggers";
import { worthTelling } from "@/lib/waiting";

const NOW = Date.parse("2026-01-31T10:00:00Z");
const blocker = (reason: string, ago?: number): Blocker => ({ reason, sentence: reason, since: ago === undefined ? undefined : new Date(NOW - ago).toISOString() });

describe("what is waited for", () => {
  it("is told once it lasts, and work that goes on is no wait", () => {
    const told = worthTelling([blocker("TASK", 60_000), blocker("SLOT", 5_000), blocker("WORKER", 200), blocker("NOTHING")], NOW);
    expect(told.map((one) => one.reason)).toEqual(["SLOT", "NOTHING"]);
  });

  it("names a flow only when it is one flow", () => {
    expect(upstreamOf({ namespace: "shop", flowId: "orders" })).toEqual({ namespace: "shop", id: "orders" });
    expect(upstreamOf({ namespace: "shop" })).toBeUndefined();
  });
});

describe("webhook", () => {
  const target = { origin: "https://penstock.example.com", tenant: "main", namespace: "shop.sales", flowId: "orders" };

  it("has an address, and a call that quotes what a shell would read", () => {
    expect(webhookUrl(target, "k3y")).toBe("https://penstock.example.com/api/v1/main/executions/webhook/shop.sales/orders/k3y");
    expect(webhookCommand(target, "{{ secret('HOOK') }}")).toContain(`'https://penstock.example.com/api/v1/main/executions/webhook/shop.sales/orders/{{ secret('\\''HOOK'\\'') }}'`);
  });
});
