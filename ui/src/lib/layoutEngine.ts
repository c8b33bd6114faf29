/** The engine that lays graphs out, in a worker beside the page, so that large ones do not hold it up. */
import ELK, { type ElkNode } from "elkjs/lib/elk-api.js";
import workerAddress from "elkjs/lib/elk-worker.min.js?url";

const engine = new ELK({ workerFactory: () => new Worker(workerAddress) });

export function layout(graph: ElkNode): Promise<ElkNode> {
  return engine.layout(graph);
}
