import { describe, expect, it } from "vitest";
import { createMemoryHistory, createRouter } from "vue-router";
import { routes } from "@/router";
import { returnPath, signedOutRoute } from "@/router/signedOut";

const router = createRouter({ history: createMemoryHistory(), routes: routes.map(({ name, path, meta, redirect }) => (redirect ? { path, redirect } : { name, path, meta, component: {} })) });

async function land(path: string) {
  await router.push(path);
  return router.currentRoute.value;
}

describe("routes", () => {
  it("lead an address without tenant to the same page", async () => {
    const page = await land("/executions/company.team/hello/abc?task=x");
    expect(page.fullPath).toBe("/main/executions/company.team/hello/abc?task=x");
    expect(page).toMatchObject({ name: "execution", params: { namespace: "company.team", flowId: "hello", id: "abc" } });
  });

  it("open the default dashboard at the root", async () => expect((await land("/")).name).toBe("dashboards"));
  it("tell a new dashboard from one called new", async () => expect((await land("/main/dashboards/new")).name).toBe("dashboard-new"));
  it("tell a new flow from a flow called new", async () => expect((await land("/main/flows/new")).name).toBe("flow-new"));
  it("show a page for what does not exist", async () => expect((await land("/main/nothing/here")).name).toBe("missing"));
});

describe("signing in", () => {
  it("leads back to the page that was asked for", async () => {
    expect(signedOutRoute(await land("/main/executions?state=FAILED"))).toEqual({ name: "login", query: { from: "/main/executions?state=FAILED" } });
  });

  it("does not lead from the login page to itself", async () => expect(signedOutRoute(await land("/main/login"))).toBeUndefined());

  it.each([["//evil.example", "/"], ["https://evil.example", "/"], ["/\\evil.example", "/"], [undefined, "/"], ["/main/flows", "/main/flows"]])(
    "never leads out of the interface: %o",
    (from, path) => expect(returnPath(from)).toBe(path),
  );
});
