/** Assets: what flows use and make. */
import { stringify } from "yaml";
import type { Asset, AssetGraph } from "@/api/types";
import type { Graph } from "./topology";

/** The last word of a type; what people called it themselves stays whole. */
export function shortAssetType(type: string): string {
  return type.startsWith("io.kestra.") ? (type.split(".").at(-1) ?? type) : type;
}

/** An asset as it is written. */
export function assetSource({ id, type, namespace, displayName, description, metadata }: Asset): string {
  const told = { id, type, namespace, displayName, description, metadata };
  return stringify(Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined && value !== null)));
}

export const FIRST_ASSET = `id: shop.orders
type: io.kestra.plugin.ee.assets.Table
namespace: company.team
displayName: Orders of the shop
metadata:
  system: postgres
  database: shop
`;

/** How a task run dealt with an asset. */
export function wayOf(run: { readonly inputs: readonly { readonly id: string }[]; readonly outputs: readonly { readonly id: string }[] }, id: string): "made" | "used" | "both" {
  const [used, made] = [run.inputs, run.outputs].map((list) => list.some((one) => one.id === id));
  return used && made ? "both" : made ? "made" : "used";
}

/** Assets and the flows between them, as a graph. */
export function lineageGraph({ nodes, edges }: AssetGraph, word: string): Graph {
  return {
    nodes: nodes.map(({ uid, id, namespace, type }) => {
      const isFlow = type === "FLOW";
      const flow = { namespace: namespace ?? "", id };
      return { id: uid, label: id, type: isFlow ? flow.namespace : word, kind: "task", disabled: false, icon: isFlow ? "flow" : "asset", subflow: isFlow ? flow : undefined };
    }),
    edges: edges.map(({ source, target }) => ({ id: `${source} ${target}`, from: source, to: target })),
  };
}
