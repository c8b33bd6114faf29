/** The timeline of an execution: a tree of task runs, the rows it shows, and where their bars lie. */
import type { StateType, TaskRun } from "@/api/types";
import { hasEnded, tone, type Tone } from "./states";
import { toMillis } from "./time";

export interface Node {
  readonly run: TaskRun;
  readonly children: readonly Node[];
  /** A loop's children are iterations, folded by default. */
  readonly loop: boolean;
}

/** How much of a node's children is shown: none, only the failed ones, or all. */
export type Fold = "closed" | "failed" | "open";

/** A task run. */
export interface RunRow {
  readonly kind: "run";
  readonly key: string;
  readonly node: Node;
  readonly depth: number;
  readonly fold: Fold;
  /** Children left out by the fold "failed". */
  readonly hidden: number;
}

/** All iterations of a large loop that are in one state. */
export interface GroupRow {
  readonly kind: "group";
  readonly key: string;
  readonly state: StateType;
  readonly count: number;
  readonly depth: number;
  readonly fold: Fold;
}

/** The members of a group that are not drawn until one asks for them. */
export interface RestRow {
  readonly kind: "rest";
  /** The group's key. */
  readonly key: string;
  readonly shown: number;
  readonly rest: number;
  readonly depth: number;
}

export type Row = RunRow | GroupRow | RestRow;

/** What the reader unfolded, and how many members of each group are drawn. */
export interface View {
  readonly folds: ReadonlyMap<string, Fold>;
  readonly shown: ReadonlyMap<string, number>;
}

export interface Bar {
  readonly tone: Tone;
  readonly left: number;
  readonly width: number;
  readonly state: StateType;
}

export interface Axis {
  readonly start: number;
  readonly end: number;
}

/** A loop with more children is shown by state. */
const FEW = 12;

/** So many members of a group are drawn at first, and more each time one asks. */
export const GROUP_STEP = 20;

/** Task runs nested under their parents, each level in order of its start. */
export function buildTree(runs: readonly TaskRun[]): Node[] {
  const ids = new Set(runs.map((run) => run.id));
  const byParent = new Map<string, TaskRun[]>();
  for (const run of runs) {
    const parent = run.parentTaskRunId && ids.has(run.parentTaskRunId) ? run.parentTaskRunId : "";
    const siblings = byParent.get(parent);
    if (siblings) siblings.push(run);
    else byParent.set(parent, [run]);
  }
  const grow = (run: TaskRun): Node => {
    const children = (byParent.get(run.id) ?? []).sort(byStart).map(grow);
    const loop = children.some((child) => isIteration(child.run));
    return { run, children, loop };
  };
  return (byParent.get("") ?? []).sort(byStart).map(grow);
}

/** How a node is shown before anyone touches it: loops folded, failures and small groups open. */
export function defaultFold(node: Node): Fold {
  if (node.children.length === 0) return "closed";
  if (!node.loop) return "open";
  if (!holdsFailure(node)) return "closed";
  return isLarge(node) || node.children.every(holdsFailure) ? "open" : "failed";
}

const UNTOUCHED: View = { folds: new Map(), shown: new Map() };

/** The rows to show, given what the reader unfolded. */
export function visibleRows(nodes: readonly Node[], view: View = UNTOUCHED, depth = 0): Row[] {
  return nodes.flatMap((node) => {
    const fold = view.folds.get(node.run.id) ?? defaultFold(node);
    const shown = fold === "open" ? node.children : fold === "failed" ? node.children.filter(holdsFailure) : [];
    const hidden = fold === "failed" ? node.children.length - shown.length : 0;
    const inside = fold === "open" && isLarge(node) ? groupRows(node, view, depth + 1) : visibleRows(shown, view, depth + 1);
    return [{ kind: "run", key: node.run.id, node, depth, fold, hidden }, ...inside];
  });
}

function isLarge(node: Node): boolean {
  return node.loop && node.children.length > FEW;
}

function groupRows(loop: Node, view: View, depth: number): Row[] {
  return histogram(loop).flatMap(({ state, count }): Row[] => {
    const key = `${loop.run.id} ${state}`;
    const fold = view.folds.get(key) ?? (state === "FAILED" ? "open" : "closed");
    const group: GroupRow = { kind: "group", key, state, count, depth, fold };
    if (fold === "closed") return [group];
    const shown = Math.min(count, view.shown.get(key) ?? GROUP_STEP);
    const members = loop.children.filter((child) => child.run.state.current === state).slice(0, shown);
    const rest: Row[] = shown < count ? [{ kind: "rest", key, shown, rest: count - shown, depth: depth + 1 }] : [];
    return [group, ...visibleRows(members, view, depth + 1), ...rest];
  });
}

/** States of a node's children, counted, failures first. */
export function histogram(node: Node): { state: StateType; count: number }[] {
  const counts = new Map<StateType, number>();
  for (const child of node.children) {
    const state = child.run.state.current;
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const weight = (state: StateType): number => (state === "FAILED" ? 0 : hasEnded(state) ? 2 : 1);
  return [...counts].map(([state, count]) => ({ state, count })).sort((a, b) => weight(a.state) - weight(b.state));
}

/** The failed task run that made the execution fail: the first to end among the innermost failed ones. */
export function findCause(nodes: readonly Node[]): TaskRun | undefined {
  const failed = nodes.filter((node) => node.run.state.current === "FAILED");
  const leaves = failed.flatMap((node) => findCause(node.children) ?? node.run);
  const cause = leaves.sort((a, b) => (endOf(a) ?? 0) - (endOf(b) ?? 0))[0];
  return cause ?? nodes.map((node) => findCause(node.children)).find((run) => run !== undefined);
}

/** The time that all bars share: from the first start to the last end, or now while something runs. */
export function axisOf(runs: readonly TaskRun[], start: number, end: number | undefined, now: number): Axis {
  const starts = runs.map((run) => startOf(run)).filter((value) => value !== undefined);
  const ends = runs.map((run) => endOf(run)).filter((value) => value !== undefined);
  const from = starts.reduce((a, b) => Math.min(a, b), start);
  const to = ends.reduce((a, b) => Math.max(a, b), end ?? now);
  return { start: from, end: Math.max(to, from + 1) };
}

/** The bars of one task run, in per cent of the axis. */
export function barsOf(run: TaskRun, axis: Axis, now: number): Bar[] {
  const span = axis.end - axis.start;
  return stretches(run, now).map(({ state, tone, from, to }) => {
    const left = clamp(((from - axis.start) / span) * 100);
    return { state, tone, left, width: Math.max(0, clamp(((to - axis.start) / span) * 100) - left) };
  });
}

/** Offsets from the axis start at which a tick is drawn: at most so many parts, at round values. */
export function ticksOf(axis: Axis, parts = 6): number[] {
  const span = axis.end - axis.start;
  const step = STEPS.find((size) => span / size <= parts) ?? Math.ceil(span / parts / 86_400_000) * 86_400_000;
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, n) => n * step);
}

const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
  1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000, 43_200_000, 86_400_000,
];

interface Stretch {
  readonly state: StateType;
  readonly tone: Tone;
  readonly from: number;
  readonly to: number;
}

function stretches(run: TaskRun, now: number): Stretch[] {
  const attempts = run.attempts ?? [];
  if (attempts.length > 1) return attempts.flatMap((attempt, n) => attemptStretch(attempt.state, n < attempts.length - 1, now));
  const histories = run.state.histories ?? [];
  const last = histories.at(-1);
  return histories.flatMap((entry, n) => {
    const from = toMillis(entry.date);
    if (from === undefined || hasEnded(entry.state)) return [];
    const to = toMillis(histories[n + 1]?.date) ?? now;
    const result = last && hasEnded(last.state) && tone(entry.state) === "running" ? tone(last.state) : tone(entry.state);
    return [{ state: entry.state, tone: result, from, to: Math.max(from, to) }];
  });
}

function attemptStretch(state: TaskRun["state"], retried: boolean, now: number): Stretch[] {
  const from = toMillis(state.startDate) ?? toMillis(state.histories?.[0]?.date);
  if (from === undefined) return [];
  const last = state.histories?.at(-1);
  const ended = hasEnded(state.current) ? (toMillis(state.endDate) ?? toMillis(last?.date)) : undefined;
  return [{ state: state.current, tone: retried ? "retrying" : tone(state.current), from, to: Math.max(from, ended ?? now) }];
}

/** When a task run began, in epoch milliseconds. */
export function startOf(run: TaskRun): number | undefined {
  return toMillis(run.state.startDate) ?? toMillis(run.state.histories?.[0]?.date);
}

/** When a task run ended, or undefined while it goes on. */
export function endOf(run: TaskRun): number | undefined {
  if (!hasEnded(run.state.current)) return undefined;
  return toMillis(run.state.endDate) ?? toMillis(run.state.histories?.at(-1)?.date);
}

function holdsFailure(node: Node): boolean {
  return node.run.state.current === "FAILED" || node.children.some(holdsFailure);
}

function isIteration(run: TaskRun): boolean {
  return (run.value ?? undefined) !== undefined || (run.iteration ?? undefined) !== undefined;
}

function byStart(a: TaskRun, b: TaskRun): number {
  return (startOf(a) ?? 0) - (startOf(b) ?? 0);
}

function clamp(percent: number): number {
  return Math.min(100, Math.max(0, percent));
}
