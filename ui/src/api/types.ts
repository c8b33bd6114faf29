/** Short names of the shapes the pages speak of; the shapes themselves are generated. */
import type { components } from "./schema";

type Shapes = components["schemas"];

export type StateType = Shapes["StateType"];
export type State = Shapes["State"];
export type Execution = Shapes["Execution"];
export type TaskRun = Shapes["TaskRun"];
export type Flow = Shapes["Flow"];
export type Task = Shapes["Task"];
export type FlowInput = Shapes["Input"];
export type LogEntry = Shapes["LogEntry"];
export type LogLevel = NonNullable<LogEntry["level"]>;
export type LogOutline = Shapes["LogOutline"];
export type LogMark = Shapes["LogMark"];
export type LogCount = Shapes["LogCount"];
export type LastExecution = Shapes["LastExecution"];
export type Violation = Shapes["Violation"];
export type InputsValidation = Shapes["InputsValidation"];
export type InstanceConfig = Shapes["InstanceConfig"];
export type Label = Shapes["Label"];
export type SecretName = Shapes["SecretName"];
export type BulkAnswer = Shapes["BulkAnswer"];
export type MetricEntry = Shapes["MetricEntry"];
export type FilePreview = Shapes["FilePreview"];
export type Namespace = Shapes["Namespace"];
export type KeyValueEntry = Shapes["KeyValueEntry"];
export type Plugin = Shapes["Plugin"];
export type PluginElement = Shapes["PluginElement"];
export type Trigger = Shapes["Trigger"];
export type Audit = Shapes["Audit"];
export type ConcurrencyLimit = Shapes["ConcurrencyLimit"];
export type Explanation = Shapes["Explanation"];
export type Blocker = Shapes["Blocker"];
export type TriggerPreconditions = Shapes["TriggerPreconditions"];
export type FlowTopology = Shapes["FlowTopology"];
export type TriggerRow = Shapes["TriggerRow"];
export type OwnBlueprint = Shapes["OwnBlueprint"];
export type BlueprintDraft = Shapes["BlueprintDraft"];
export type FlowPlan = Shapes["FlowPlan"];
export type Switch = Shapes["Switch"];
export type SwitchName = Pick<Shapes["SwitchName"], "namespace" | "flowId"> & Partial<Shapes["SwitchName"]>;
export type SwitchOrder = Pick<Shapes["SwitchOrder"], "state"> & Partial<Shapes["SwitchOrder"]>;
export type TestSuite = Shapes["TestSuite"];
export type SuiteRun = Shapes["SuiteRun"];
export type Asset = Shapes["Asset"];
export type AssetGraph = Shapes["AssetGraph"];

/** The tenant of a single-tenant instance, first segment of every page and API path. */
export const TENANT = "main";
