import { keepPreviousData, useQuery } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";

/** What a blueprint is the source of. */
export type BlueprintKind = "flow" | "dashboard";
/** More than come with the server: the catalogue is shown whole. */
const ALL = 500;

export interface BlueprintSearch {
  readonly q: string;
  /** A blueprint has to have each of them. */
  readonly tags: readonly string[];
}

/** The flows or dashboards to begin with that fit a search. */
export function useBlueprints(search: MaybeRefOrGetter<BlueprintSearch>, kind: BlueprintKind = "flow") {
  return useQuery({
    queryKey: ["blueprints", kind, computed(() => toValue(search))] as const,
    queryFn: ({ queryKey: [, , { q, tags }] }) =>
      unwrap(api.GET("/api/v1/{tenant}/blueprints/community/{kind}", { params: { path: inTenant({ kind }), query: { size: ALL, q: q || undefined, tags: tags.length > 0 ? [...tags] : undefined } } })),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The tags there are. */
export function useBlueprintTags(kind: BlueprintKind = "flow") {
  return useQuery({
    queryKey: ["blueprint-tags", kind],
    queryFn: () => unwrap(api.GET("/api/v1/{tenant}/blueprints/community/{kind}/tags", { params: { path: inTenant({ kind }) } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** One blueprint with its source; an empty id asks for nothing. */
export function useBlueprint(id: MaybeRefOrGetter<string>) {
  return useQuery({ queryKey: ["blueprint", computed(() => toValue(id))] as const, queryFn: ({ queryKey }) => fetchBlueprint(queryKey[1]), enabled: computed(() => toValue(id) !== ""), staleTime: Number.POSITIVE_INFINITY });
}

/** The same, asked for once. */
export function fetchBlueprint(id: string, kind: BlueprintKind = "flow") {
  return unwrap(api.GET("/api/v1/{tenant}/blueprints/community/{kind}/{id}", { params: { path: inTenant({ kind, id }) } }));
}
