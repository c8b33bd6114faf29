/** What a reader can set, what each setting may be, and what it is at first (UI-021, UI-022, UI-023). */
import type { LogLevel } from "@/api/types";
import { DATE_FORMATS, isTimeZone, type DateFormat } from "./dates";
import { LEVELS } from "./logs";
import { isUseCase, type UseCase } from "./tour";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
/** The colours of charts: those of the states, or some that can be told apart without red and green. */
export const CHART_COLOURS = ["states", "distinct"] as const;
export const LANGUAGES = ["en", "de", "es", "fr", "hi", "it", "ja", "ko", "pl", "pt", "ru", "zh"] as const;
export const PAGE_SIZES = [10, 25, 50, 100, 250] as const;
export const EDITOR_FONTS = ["JetBrains Mono", "Source Code Pro", "Courier", "monospace"] as const;
export const OPEN_IN = ["same", "new"] as const;
export const RANGES = ["PT1H", "PT24H", "P7D", "P30D", "P365D"] as const;
/** What the editor of flows opens on: the text, or the form. */
export const EDITOR_PANES = ["source", "form"] as const;
/** Tabs a flow or an execution may open on; the first one is the page's own choice. */
export const FLOW_TABS = ["overview", "topology", "edit", "executions", "triggers", "revisions"] as const;
/** How the log of an execution is read, and which of its tasks are unfolded there at first. */
export const LOG_VIEWS = ["time", "task"] as const;
export const LOG_DISPLAYS = ["failed", "all", "none"] as const;
export const EXECUTION_TABS = ["gantt", "logs", "outputs", "topology", "metrics", "overview"] as const;

/** A list's filters under a name. */
export interface SavedSearch {
  readonly name: string;
  readonly query: Readonly<Record<string, string>>;
}

export interface Settings {
  theme: Theme;
  chartColours: (typeof CHART_COLOURS)[number];
  /** Whether the side bar is unfolded: where there is room for it, and where it takes much of the page. */
  sideOpen: boolean;
  sideOpenNarrow: boolean;
  /** An IANA zone; empty for the browser's own. */
  timeZone: string;
  dateFormat: DateFormat;
  language: (typeof LANGUAGES)[number];
  pageSize: (typeof PAGE_SIZES)[number];
  /** The time range of lists that name none: a duration, or empty for all there is. */
  timeRange: (typeof RANGES)[number] | "";
  defaultNamespace: string;
  logLevel: LogLevel;
  logView: (typeof LOG_VIEWS)[number];
  logDisplay: (typeof LOG_DISPLAYS)[number];
  executeIn: (typeof OPEN_IN)[number];
  flowTab: (typeof FLOW_TABS)[number];
  executionTab: (typeof EXECUTION_TABS)[number];
  editorPane: (typeof EDITOR_PANES)[number];
  editorTheme: Theme;
  editorFont: (typeof EDITOR_FONTS)[number];
  editorFontSize: number;
  editorFolded: boolean;
  environmentName: string;
  environmentColor: string;
  /** Columns of the lists that the reader left out. */
  hiddenColumns: string[];
  hiddenFlowColumns: string[];
  /** Saved searches of each list. */
  searches: Record<string, SavedSearch[]>;
  /** The dashboard the home page shows; empty for the default one. */
  dashboard: string;
  /** The use case of the tour that is under way; empty when none is. */
  tour: UseCase | "";
}

export const FIRST_SETTINGS: Settings = {
  theme: "system", chartColours: "states", sideOpen: true, sideOpenNarrow: false, timeZone: "", dateFormat: "automatic", language: "en", pageSize: 25, timeRange: "P30D", defaultNamespace: "", logLevel: "INFO", logView: "time", logDisplay: "failed",
  executeIn: "same", flowTab: "overview", executionTab: "gantt", editorPane: "source", editorTheme: "system", editorFont: "JetBrains Mono", editorFontSize: 13, editorFolded: false,
  environmentName: "", environmentColor: "", hiddenColumns: [], hiddenFlowColumns: [], searches: {}, dashboard: "", tour: "",
};

const FONT_SIZES = { least: 8, most: 32 };

/** What each restricted setting may be; anything else is read as unset. */
const ALLOWED: { [K in keyof Settings]?: (value: Settings[K]) => boolean } = {
  theme: isOneOf(THEMES), chartColours: isOneOf(CHART_COLOURS), language: isOneOf(LANGUAGES), editorTheme: isOneOf(THEMES), dateFormat: isOneOf(DATE_FORMATS), pageSize: isOneOf(PAGE_SIZES), timeRange: isOneOf(["", ...RANGES]), logLevel: isOneOf(LEVELS), logView: isOneOf(LOG_VIEWS), logDisplay: isOneOf(LOG_DISPLAYS),
  executeIn: isOneOf(OPEN_IN), flowTab: isOneOf(FLOW_TABS), executionTab: isOneOf(EXECUTION_TABS), editorFont: isOneOf(EDITOR_FONTS), editorPane: isOneOf(EDITOR_PANES), tour: (one) => one === "" || isUseCase(one), timeZone: (zone) => zone === "" || isTimeZone(zone),
  editorFontSize: (size) => Number.isInteger(size) && size >= FONT_SIZES.least && size <= FONT_SIZES.most,
};

/** Settings as they were kept; what is missing, of another kind or not allowed is as at first. */
export function readSettings(kept: string | null): Settings {
  const found = parse(kept);
  const fallback = structuredClone(FIRST_SETTINGS);
  const entries = (Object.keys(fallback) as (keyof Settings)[]).map((key) => [key, isFit(key, found[key]) ? found[key] : fallback[key]]);
  return Object.fromEntries(entries) as unknown as Settings;
}

function isFit(key: keyof Settings, value: unknown): boolean {
  const first = FIRST_SETTINGS[key];
  if (typeof value !== typeof first || value === null || Array.isArray(value) !== Array.isArray(first)) return false;
  return (ALLOWED[key] as ((value: unknown) => boolean) | undefined)?.(value) ?? true;
}

function parse(text: string | null): Record<string, unknown> {
  try {
    return (JSON.parse(text ?? "{}") ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function isOneOf<T>(list: readonly T[]): (value: T) => boolean {
  return (value) => list.includes(value);
}

/** The words of each setting, and the part of the page it is in: what the search of everything finds. */
export const SETTING_TEXTS: readonly { readonly part: string; readonly key: string }[] = [
  { part: "look", key: "settings.look.theme" }, { part: "look", key: "settings.look.charts" }, { part: "look", key: "settings.look.environment" },
  { part: "region", key: "settings.region.language" }, { part: "region", key: "settings.region.zone" }, { part: "region", key: "settings.region.format" },
  { part: "lists", key: "settings.lists.pageSize" }, { part: "lists", key: "settings.lists.timeRange" }, { part: "lists", key: "settings.lists.namespace" }, { part: "lists", key: "settings.lists.logLevel" }, { part: "lists", key: "settings.lists.logView" }, { part: "lists", key: "settings.lists.logDisplay" },
  { part: "editor", key: "settings.editor.pane" }, { part: "editor", key: "settings.editor.theme" }, { part: "editor", key: "settings.editor.font" }, { part: "editor", key: "settings.editor.fontSize" },
  { part: "export", key: "settings.export.flows" },
];
