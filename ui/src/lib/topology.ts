/** A flow as a graph: its tasks, what follows what, and the groups that hold others. */
import type { Execution, Flow, FlowTopology, StateType, Task, TaskRun } from "@/api/types";
import type { IconName } from "@/components/icons";

export type Part = "triggers" | "tasks" | "errors" | "finally" | "afterExecution";

export interface GraphNode {
  /** Of what lies in a called flow: the id of the task that calls it, a slash, the id there. */
  readonly id: string;
  readonly label: string;
  /** The task's type, shortened. */
  readonly type: string;
  readonly kind: "task" | "group" | "trigger" | "part";
  readonly parent?: string;
  readonly disabled: boolean;
  /** The flow that the task starts. */
  readonly subflow?: Called;
  /** Shown where nodes are of several kinds. */
  readonly icon?: IconName;
  /** True for what belongs to a called flow that is drawn in place. */
  readonly isForeign?: boolean;
}

/** A flow that a task starts. */
export interface Called {
  readonly namespace: string;
  readonly id: string;
}

export interface GraphEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** The condition or case that leads here. */
  readonly label?: string;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

interface Draft {
  readonly nodes: GraphNode[];
  readonly edges: GraphEdge[];
  readonly home: string;
  /** What the ids of a called flow begin with; empty in the flow itself. */
  readonly prefix: string;
  readonly called: CalledFlows;
}

/** Where a stretch of the graph begins and ends: what comes before leads to all firsts, all lasts lead on. */
interface Ends {
  readonly firsts: readonly string[];
  readonly lasts: readonly string[];
}

const AT_ONCE = new Set(["Parallel", "EachParallel"]);
const SIDE_PARTS = ["errors", "finally", "afterExecution"] as const;

/** What of a flow is drawn: whoever describes it, its labels aside. */
export type Drawn = Omit<Flow, "labels">;

/** The called flows that are drawn in place, by the ids of the nodes that call them. */
export type CalledFlows = ReadonlyMap<string, Drawn>;

/** The graph of a flow, with those of the called flows that are given drawn where they are called (UI-065). */
export function graphOf(flow: Drawn, called: CalledFlows = new Map()): Graph {
  const draft: Draft = { nodes: [], edges: [], home: flow.namespace, prefix: "", called };
  const triggers = (flow.triggers ?? []).map((trigger) => {
    const id = `trigger:${trigger.id}`;
    draft.nodes.push({ id, label: trigger.id, type: shortType(trigger.type), kind: "trigger", disabled: trigger.disabled === true });
    return id;
  });
  const tasks = inOrder(draft, flow.tasks ?? []);
  join(draft, triggers, tasks.firsts);
  for (const part of SIDE_PARTS) {
    const own = tasksOf((flow as Record<string, unknown>)[part]);
    if (own.length === 0) continue;
    const id = `part:${part}`;
    draft.nodes.push({ id, label: part, type: "", kind: "part", disabled: false });
    inOrder(draft, own, id);
  }
  return { nodes: draft.nodes, edges: draft.edges };
}

/** How a node stands in an execution, and how many runs it had. */
export interface NodeState {
  readonly state: StateType;
  readonly run: TaskRun;
  readonly count: number;
  /** How many of the runs are in which state. */
  readonly states: StateCount[];
}

interface StateCount {
  readonly state: StateType;
  count: number;
}

/** The state of each task of an execution: the gravest of its runs that matters to the reader. */
export function statesOf(execution: Pick<Execution, "taskRunList"> | undefined): Map<string, NodeState> {
  const found = new Map<string, NodeState>();
  for (const run of execution?.taskRunList ?? []) {
    const known = found.get(run.taskId);
    const state = run.state.current;
    const shown = known && weight(known.state) >= weight(state) ? known : { state, run };
    const states = known?.states ?? [];
    const own = states.find((one) => one.state === state);
    if (own) own.count += 1;
    found.set(run.taskId, { state: shown.state, run: shown.run, count: (known?.count ?? 0) + 1, states: own ? states : [...states, { state, count: 1 }] });
  }
  return found;
}

/** Flows and what starts what, as a graph: an edge leads from what comes first to what it starts. */
export function dependencyGraph({ nodes, edges }: FlowTopology): Graph {
  return {
    nodes: nodes.map(({ uid, namespace, id }) => ({ id: uid, label: id, type: namespace, kind: "task", disabled: false, subflow: { namespace, id } })),
    edges: edges.map(({ source, target, relation }) => ({ id: `${source} ${target} ${relation}`, from: source, to: target, label: relation })),
  };
}

const WEIGHTS: Partial<Record<StateType, number>> = { FAILED: 9, KILLED: 8, RETRYING: 7, PAUSED: 6, BREAKPOINT: 6, RUNNING: 5, KILLING: 5, CREATED: 4, WARNING: 3, SUCCESS: 2 };

function weight(state: StateType): number {
  return WEIGHTS[state] ?? 1;
}

function inOrder(draft: Draft, tasks: readonly Task[], parent?: string): Ends {
  const ends = tasks.map((task) => place(draft, task, parent));
  ends.forEach((end, at) => at > 0 && join(draft, ends[at - 1]?.lasts ?? [], end.firsts));
  return { firsts: ends[0]?.firsts ?? [], lasts: ends.at(-1)?.lasts ?? [] };
}

function atOnce(draft: Draft, tasks: readonly Task[], parent: string): Ends {
  const ends = tasks.map((task) => place(draft, task, parent));
  return { firsts: ends.flatMap((end) => end.firsts), lasts: ends.flatMap((end) => end.lasts) };
}

function place(draft: Draft, task: Task, parent?: string): Ends {
  const extra = task as Record<string, unknown>;
  const id = draft.prefix + task.id;
  const subflow = subflowOf(extra, draft.home);
  const inner = subflow && draft.called.get(id);
  const isGroup = branchesOf(extra).length > 0 || inner !== undefined;
  draft.nodes.push({
    id, label: task.id, type: shortType(task.type), kind: isGroup ? "group" : "task", parent, disabled: task.disabled === true, subflow, isForeign: draft.prefix !== "",
  });
  if (inner) inOrder({ ...draft, home: inner.namespace, prefix: `${id}/` }, inner.tasks ?? [], id);
  else placeBranches(draft, task, id);
  return { firsts: [id], lasts: [id] };
}

function placeBranches(draft: Draft, task: Task, id: string): void {
  const extra = task as Record<string, unknown>;
  const type = task.type.split(".").at(-1) ?? "";
  if (type === "Dag") return placeDag(draft, extra.tasks, id);
  for (const { name, tasks } of branchesOf(extra)) {
    const within = AT_ONCE.has(type) && name === "" ? atOnce(draft, tasks, id) : inOrder(draft, tasks, id);
    if (name) nameBranch(draft, id, name, within);
  }
}

/** A branch that is chosen by a case begins with its name. */
function nameBranch(draft: Draft, group: string, name: string, within: Ends): void {
  const id = `${group}:${name}`;
  draft.nodes.push({ id, label: name, type: "", kind: "part", parent: group, disabled: false });
  join(draft, [id], within.firsts);
}

function placeDag(draft: Draft, value: unknown, parent: string): void {
  const entries = (Array.isArray(value) ? value : []).filter((entry): entry is { task: Task; dependsOn?: string[] } => isRecord(entry) && isTask(entry.task));
  for (const { task } of entries) place(draft, task, parent);
  for (const { task, dependsOn } of entries) join(draft, (dependsOn ?? []).map((one) => draft.prefix + one), [draft.prefix + task.id]);
}

interface Branch {
  readonly name: string;
  readonly tasks: readonly Task[];
}

/** The lists of tasks inside a task, each with the word that leads to it. */
function branchesOf(task: Record<string, unknown>): Branch[] {
  const dag = Array.isArray(task.tasks) ? task.tasks.map((entry: unknown) => (isRecord(entry) && isTask(entry.task) ? entry.task : entry)) : [];
  const cases = isRecord(task.cases) ? Object.entries(task.cases).map(([name, value]) => ({ name, tasks: tasksOf(value) })) : [];
  const named = ["then", "else", "defaults", "errors", "finally"].map((name) => ({ name, tasks: tasksOf(task[name]) }));
  return [{ name: "", tasks: tasksOf(dag) }, ...cases, ...named].filter((branch) => branch.tasks.length > 0);
}

function join(draft: Draft, from: readonly string[], to: readonly string[]): void {
  for (const one of from) for (const other of to) draft.edges.push({ id: `${one} ${other}`, from: one, to: other });
}

function subflowOf(task: Record<string, unknown>, home: string): Called | undefined {
  if (typeof task.flowId !== "string" || task.flowId.includes("{{")) return undefined;
  const namespace = typeof task.namespace === "string" && !task.namespace.includes("{{") ? task.namespace : home;
  return { namespace, id: task.flowId };
}

function tasksOf(value: unknown): Task[] {
  return Array.isArray(value) ? value.filter(isTask) : [];
}

function isTask(value: unknown): value is Task {
  return isRecord(value) && typeof value.id === "string" && typeof value.type === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shortType(type: string): string {
  return type.split(".").slice(-2).join(".");
}
