import { useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import { partsOf } from "@/lib/plugins";
import type { Schema } from "@/lib/schema";

/** The plugins of this instance with their types; they stay the same while the page is open. */
export function usePlugins(enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({ queryKey: ["plugins"], queryFn: () => unwrap(api.GET("/api/v1/plugins", {})), staleTime: Number.POSITIVE_INFINITY, enabled });
}

/** The icons of the types that bring one, as addresses of pictures. */
export function useTypeIcons() {
  return useQuery({
    queryKey: ["type-icons"],
    queryFn: async () => {
      const found = await unwrap(api.GET("/api/v1/plugins/icons", {}));
      return new Map(Object.entries(found).flatMap(([cls, { icon }]) => (icon ? [[cls, `data:image/svg+xml;base64,${icon}`]] : [])));
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The documentation of one type. */
export function useDocumentation(cls: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["documentation", computed(() => toValue(cls))] as const,
    queryFn: ({ queryKey }) => unwrap(api.GET("/api/v1/plugins/{cls}", { params: { path: { cls: queryKey[1] } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The JSON Schema of flows with the types of this instance; large, and the same while the page is open. */
export function useFlowSchema() {
  return useQuery({
    queryKey: ["flow-schema"],
    queryFn: () => unwrap(api.GET("/api/v1/{tenant}/schemas/flow.json", { params: { path: inTenant() } })) as Promise<Schema>,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

const outputs = new Map<string, Promise<readonly string[]>>();

/** The names of a type's outputs, asked for once; none when the type is unknown. */
export function outputNames(cls: string): Promise<readonly string[]> {
  const asked = outputs.get(cls) ?? readOutputNames(cls).catch(() => []);
  outputs.set(cls, asked);
  return asked;
}

async function readOutputNames(cls: string): Promise<readonly string[]> {
  const { schema } = await unwrap(api.GET("/api/v1/plugins/{cls}", { params: { path: { cls } } }));
  return partsOf(schema as Record<string, unknown>).outputs.map((one) => one.name);
}
