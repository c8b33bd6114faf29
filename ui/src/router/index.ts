/** Pages and their addresses: /ui/<tenant>/..., and the same without tenant for links from elsewhere. */
import type { QueryClient } from "@tanstack/vue-query";
import { createRouter, createWebHistory, type Router, type RouteRecordRaw } from "vue-router";
import { TENANT } from "@/api/types";
import { instanceQuery } from "@/composables/useInstance";

declare module "vue-router" {
  interface RouteMeta {
    /** Reached without a session, and shown without the shell. */
    open?: boolean;
    /** Message key of the title. */
    title?: string;
    section?: "flows" | "executions";
  }
}

export const routes: RouteRecordRaw[] = [
  { path: "/", redirect: `/${TENANT}/flows` },
  { path: `/${TENANT}`, redirect: `/${TENANT}/flows` },
  { path: `/${TENANT}/login`, name: "login", component: () => import("@/pages/LoginPage.vue"), meta: { open: true, title: "login.title" } },
  { path: `/${TENANT}/setup`, name: "setup", component: () => import("@/pages/SetupPage.vue"), meta: { open: true, title: "setup.title" } },
  { path: `/${TENANT}/flows`, name: "flows", component: () => import("@/pages/FlowsPage.vue"), meta: { title: "flows.title", section: "flows" } },
  {
    path: `/${TENANT}/flows/new`, name: "flow-new", component: () => import("@/pages/FlowNewPage.vue"),
    meta: { title: "editor.newTitle", section: "flows" },
  },
  {
    path: `/${TENANT}/flows/edit/:namespace/:id/:tab?`, name: "flow", props: true,
    component: () => import("@/pages/FlowPage.vue"), meta: { section: "flows" },
  },
  {
    path: `/${TENANT}/executions`, name: "executions", component: () => import("@/pages/ExecutionsPage.vue"),
    meta: { title: "executions.title", section: "executions" },
  },
  {
    path: `/${TENANT}/executions/:namespace/:flowId/:id/:tab?`, name: "execution", props: true,
    component: () => import("@/pages/ExecutionPage.vue"), meta: { section: "executions" },
  },
  // Notifications and the API's `url` name pages without the tenant (ENG-125).
  { path: "/:page(login|setup|flows|executions)/:rest(.*)*", redirect: (to) => ({ path: `/${TENANT}${to.path}`, query: to.query, hash: to.hash }) },
  { path: "/:rest(.*)*", name: "missing", component: () => import("@/pages/MissingPage.vue"), meta: { title: "missing.title" } },
];

/** The router; an instance without a first user leads to the setup page whatever was asked. */
export function createPageRouter(queries: QueryClient): Router {
  const router = createRouter({ history: createWebHistory("/ui/"), routes });
  router.beforeEach(async (to) => {
    const instance = await queries.fetchQuery(instanceQuery).catch(() => undefined);
    if (instance?.isBasicAuthInitialized === false) return to.name === "setup" ? true : { name: "setup" };
    return to.name === "setup" && instance ? { name: "flows" } : true;
  });
  return router;
}
