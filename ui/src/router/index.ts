/** Pages and their addresses: /ui/<tenant>/..., and the same without tenant for links from elsewhere. */
import type { QueryClient } from "@tanstack/vue-query";
import { createRouter, createWebHistory, type Router, type RouteRecordRaw } from "vue-router";
import { TENANT } from "@/api/types";
import { instanceQuery } from "@/composables/useInstance";
import { loadMissingScripts } from "@/router/missingScripts";

/** The entries of the side bar, in their order. */
export const SECTIONS = ["dashboards", "flows", "executions", "allLogs", "triggers", "namespaces", "blueprints", "tests", "assets", "plugins", "instance", "settings"] as const;
export type Section = (typeof SECTIONS)[number];

declare module "vue-router" {
  interface RouteMeta {
    /** Reached without a session, and shown without the shell. */
    open?: boolean;
    /** Message key of the title. */
    title?: string;
    section?: Section;
  }
}

export const routes: RouteRecordRaw[] = [
  { path: "/", redirect: `/${TENANT}/dashboards` },
  { path: `/${TENANT}`, redirect: `/${TENANT}/dashboards` },
  { path: `/${TENANT}/login`, name: "login", component: () => import("@/pages/LoginPage.vue"), meta: { open: true, title: "login.title" } },
  { path: `/${TENANT}/setup`, name: "setup", component: () => import("@/pages/SetupPage.vue"), meta: { open: true, title: "setup.title" } },
  {
    path: `/${TENANT}/dashboards/new`, name: "dashboard-new", component: () => import("@/pages/DashboardEditPage.vue"),
    meta: { title: "dashboards.newTitle", section: "dashboards" },
  },
  { path: `/${TENANT}/dashboards/:id/edit`, name: "dashboard-edit", props: true, component: () => import("@/pages/DashboardEditPage.vue"), meta: { section: "dashboards" } },
  { path: `/${TENANT}/dashboards/:id?`, name: "dashboards", props: true, component: () => import("@/pages/DashboardPage.vue"), meta: { section: "dashboards" } },
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
  { path: `/${TENANT}/logs`, name: "allLogs", component: () => import("@/pages/LogsPage.vue"), meta: { title: "allLogs.title", section: "allLogs" } },
  {
    path: `/${TENANT}/triggers`, name: "triggers", component: () => import("@/pages/TriggersPage.vue"),
    meta: { title: "triggers.title", section: "triggers" },
  },
  {
    path: `/${TENANT}/blueprints`, name: "blueprints", component: () => import("@/pages/BlueprintsPage.vue"),
    meta: { title: "blueprints.title", section: "blueprints" },
  },
  {
    path: `/${TENANT}/blueprints/own`, name: "own-blueprints", props: { own: true }, component: () => import("@/pages/BlueprintsPage.vue"),
    meta: { title: "blueprints.ownTitle", section: "blueprints" },
  },
  {
    path: `/${TENANT}/blueprints/own/new`, name: "blueprint-new", component: () => import("@/pages/BlueprintEditPage.vue"),
    meta: { title: "blueprints.newTitle", section: "blueprints" },
  },
  { path: `/${TENANT}/blueprints/own/:id`, name: "own-blueprint", props: true, component: () => import("@/pages/OwnBlueprintPage.vue"), meta: { section: "blueprints" } },
  { path: `/${TENANT}/blueprints/own/:id/edit`, name: "blueprint-edit", props: true, component: () => import("@/pages/BlueprintEditPage.vue"), meta: { section: "blueprints" } },
  { path: `/${TENANT}/blueprints/:id`, name: "blueprint", props: true, component: () => import("@/pages/BlueprintPage.vue"), meta: { section: "blueprints" } },
  { path: `/${TENANT}/tests`, name: "tests", component: () => import("@/pages/TestsPage.vue"), meta: { title: "tests.title", section: "tests" } },
  { path: `/${TENANT}/tests/new`, name: "suite-new", component: () => import("@/pages/TestNewPage.vue"), meta: { title: "tests.newTitle", section: "tests" } },
  { path: `/${TENANT}/tests/:namespace/:id/:tab?`, name: "suite", props: true, component: () => import("@/pages/TestSuitePage.vue"), meta: { section: "tests" } },
  { path: `/${TENANT}/assets`, name: "assets", component: () => import("@/pages/AssetsPage.vue"), meta: { title: "assets.title", section: "assets" } },
  { path: `/${TENANT}/assets/new`, name: "asset-new", component: () => import("@/pages/AssetNewPage.vue"), meta: { title: "assets.newTitle", section: "assets" } },
  { path: `/${TENANT}/assets/:id/:tab?`, name: "asset", props: true, component: () => import("@/pages/AssetPage.vue"), meta: { section: "assets" } },
  { path: `/${TENANT}/plugins`, name: "plugins", component: () => import("@/pages/PluginsPage.vue"), meta: { title: "plugins.title", section: "plugins" } },
  { path: `/${TENANT}/plugins/:cls`, name: "plugin", props: true, component: () => import("@/pages/PluginPage.vue"), meta: { section: "plugins" } },
  {
    path: `/${TENANT}/namespaces`, name: "namespaces", component: () => import("@/pages/NamespacesPage.vue"),
    meta: { title: "namespaces.title", section: "namespaces" },
  },
  {
    path: `/${TENANT}/namespaces/:namespace/:tab?`, name: "namespace", props: true, component: () => import("@/pages/NamespacePage.vue"),
    meta: { section: "namespaces" },
  },
  { path: `/${TENANT}/instance/:tab?`, name: "instance", props: true, component: () => import("@/pages/InstancePage.vue"), meta: { title: "instance.title", section: "instance" } },
  { path: `/${TENANT}/settings`, name: "settings", component: () => import("@/pages/SettingsPage.vue"), meta: { title: "settings.title", section: "settings" } },
  // Notifications and the API's `url` name pages without the tenant (ENG-125).
  { path: "/:page(login|setup|flows|executions|logs|triggers|namespaces|blueprints|tests|assets|plugins|settings|dashboards|instance)/:rest(.*)*", redirect: (to) => ({ path: `/${TENANT}${to.path}`, query: to.query, hash: to.hash }) },
  { path: "/:rest(.*)*", name: "missing", component: () => import("@/pages/MissingPage.vue"), meta: { title: "missing.title" } },
];

/** The router; an instance without a first user leads to the setup page whatever was asked. */
export function createPageRouter(queries: QueryClient): Router {
  const router = createRouter({ history: createWebHistory("/ui/"), routes });
  loadMissingScripts(router);
  router.beforeEach(async (to) => {
    const instance = await queries.fetchQuery(instanceQuery).catch(() => undefined);
    if (instance?.isBasicAuthInitialized === false) return to.name === "setup" ? true : { name: "setup" };
    return to.name === "setup" && instance ? { name: "dashboards" } : true;
  });
  return router;
}
