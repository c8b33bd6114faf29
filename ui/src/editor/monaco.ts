/** Monaco with YAML, assembled from parts: loaded only where source is shown, all of it from this instance. */
import * as monaco from "monaco-editor/esm/vs/editor/edcore.main.js";
import "monaco-editor/esm/vs/basic-languages/css/css.contribution.js";
import "monaco-editor/esm/vs/basic-languages/dockerfile/dockerfile.contribution.js";
import "monaco-editor/esm/vs/basic-languages/go/go.contribution.js";
import "monaco-editor/esm/vs/basic-languages/hcl/hcl.contribution.js";
import "monaco-editor/esm/vs/basic-languages/html/html.contribution.js";
import "monaco-editor/esm/vs/basic-languages/ini/ini.contribution.js";
import "monaco-editor/esm/vs/basic-languages/java/java.contribution.js";
import "monaco-editor/esm/vs/basic-languages/javascript/javascript.contribution.js";
import "monaco-editor/esm/vs/basic-languages/markdown/markdown.contribution.js";
import "monaco-editor/esm/vs/basic-languages/powershell/powershell.contribution.js";
import "monaco-editor/esm/vs/basic-languages/python/python.contribution.js";
import "monaco-editor/esm/vs/basic-languages/r/r.contribution.js";
import "monaco-editor/esm/vs/basic-languages/ruby/ruby.contribution.js";
import "monaco-editor/esm/vs/basic-languages/rust/rust.contribution.js";
import "monaco-editor/esm/vs/basic-languages/shell/shell.contribution.js";
import "monaco-editor/esm/vs/basic-languages/sql/sql.contribution.js";
import "monaco-editor/esm/vs/basic-languages/typescript/typescript.contribution.js";
import "monaco-editor/esm/vs/basic-languages/xml/xml.contribution.js";
import "monaco-editor/esm/vs/basic-languages/yaml/yaml.contribution.js";
import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import { configureMonacoYaml, type SchemasSettings } from "monaco-yaml";
import { api, inTenant, unwrap } from "@/api/client";
import { DARK } from "@/composables/useMedia";
import type { Theme } from "@/lib/settings";
import { completeExpressions } from "./expressions";
import YamlWorker from "./yaml.worker?worker";

self.MonacoEnvironment = {
  getWorker: (_, label) => (label === "yaml" ? new YamlWorker() : new EditorWorker()),
};

/** Models under these paths are flows and dashboards: they are completed and explained by the instance's schemas. */
export const ROOTS = { flow: "file:///flows/", dashboard: "file:///dashboards/" } as const;
export type DocumentKind = keyof typeof ROOTS;

const yaml = configureMonacoYaml(monaco, { validate: false, enableSchemaRequest: false, schemas: [] });
void loadSchemas();
completeExpressions(monaco, ROOTS.flow);

async function loadSchemas(): Promise<void> {
  // Without a schema the editor still edits; completion and hover are what is missing then.
  const found = await Promise.all([
    schemaOf("flow", unwrap(api.GET("/api/v1/{tenant}/schemas/flow.json", { params: { path: inTenant() } }))),
    schemaOf("dashboard", unwrap(api.GET("/api/v1/plugins/schemas/{type}", { params: { path: { type: "DASHBOARD" } } }))),
  ]);
  await yaml.update({ schemas: found.flat() });
}

async function schemaOf(kind: DocumentKind, asked: Promise<object>): Promise<SchemasSettings[]> {
  const schema = await asked.catch(() => undefined);
  return schema ? [{ uri: new URL(`/schemas/${kind}.json`, location.href).href, fileMatch: [`${ROOTS[kind]}**`], schema }] : [];
}

const COLOURS: Record<string, string> = {
  "editor.background": "--surface-1", "editor.foreground": "--ink-1", "editorLineNumber.foreground": "--ink-3",
  "editorLineNumber.activeForeground": "--ink-1", "editor.lineHighlightBackground": "--surface-2", "editorGutter.background": "--surface-1",
  "editorWidget.background": "--surface-1", "editorWidget.border": "--line-strong", "editorCursor.foreground": "--accent",
  "editor.selectionBackground": "--accent-soft", "editorIndentGuide.background1": "--line", "editorIndentGuide.activeBackground1": "--line-strong",
  "editorError.foreground": "--failed", "editorWarning.foreground": "--warning", "editorInfo.foreground": "--running", focusBorder: "--focus",
  "editorSuggestWidget.background": "--surface-1", "editorSuggestWidget.selectedBackground": "--accent-soft", "editorHoverWidget.background": "--surface-1",
  "scrollbarSlider.background": "--surface-3", "editorStickyScroll.background": "--surface-1", "editorSuggestWidget.selectedForeground": "--ink-1",
};

const TOKENS: Record<string, string> = {
  type: "--accent", "string.yaml": "--warning", string: "--warning", "number.yaml": "--running", number: "--running", "keyword.yaml": "--paused",
  keyword: "--paused", comment: "--ink-3", "": "--ink-1",
};

/** Gives the editor the page's own colours, those of another theme than the page's when it is told one. */
export function applyTheme(theme: Theme = "system"): void {
  const scheme = theme === "system" ? pageScheme() : theme;
  const rules = Object.entries(TOKENS).map(([token, name]) => ({ token, foreground: colourOf(name, scheme).slice(1) }));
  const colors = Object.fromEntries(Object.entries(COLOURS).map(([key, name]) => [key, colourOf(name, scheme)]));
  monaco.editor.defineTheme("penstock", { base: scheme === "dark" ? "vs-dark" : "vs", inherit: true, rules, colors });
  monaco.editor.setTheme("penstock");
}

function pageScheme(): "light" | "dark" {
  const chosen = document.documentElement.dataset.theme ?? "";
  const dark = chosen ? chosen === "dark" : matchMedia(DARK).matches;
  return dark ? "dark" : "light";
}

function colourOf(name: string, scheme: "light" | "dark"): string {
  const probe = document.createElement("i");
  probe.style.colorScheme = scheme;
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const channels = getComputedStyle(probe).color.match(/\d+/g) ?? [];
  probe.remove();
  return `#${channels.slice(0, 3).map((channel) => Number(channel).toString(16).padStart(2, "0")).join("")}`;
}

export { monaco };
