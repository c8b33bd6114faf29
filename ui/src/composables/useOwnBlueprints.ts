import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import type { BlueprintDraft, OwnBlueprint } from "@/api/types";
import type { BlueprintSearch } from "./useBlueprints";

/** More than anybody writes: the list is shown whole. */
const ALL = 500;

/** The blueprints that people wrote themselves and that fit a search. */
export function useOwnBlueprints(search: MaybeRefOrGetter<BlueprintSearch>, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: ["own-blueprints", computed(() => toValue(search))] as const,
    queryFn: ({ queryKey: [, { q, tags }] }) =>
      unwrap(api.GET("/api/v1/{tenant}/blueprints/custom", { params: { path: inTenant(), query: { size: ALL, q: q || undefined, tags: tags.length > 0 ? [...tags] : undefined } } })),
    placeholderData: keepPreviousData,
    enabled,
  });
}

/** The tags they have. */
export function useOwnBlueprintTags(enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({ queryKey: ["own-blueprint-tags"], queryFn: () => unwrap(api.GET("/api/v1/{tenant}/blueprints/custom/tags", { params: { path: inTenant() } })), enabled });
}

/** One of them with its source; an empty id asks for nothing. */
export function useOwnBlueprint(id: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["own-blueprint", computed(() => toValue(id))] as const,
    queryFn: ({ queryKey }) => fetchOwnBlueprint(queryKey[1]),
    enabled: computed(() => toValue(id) !== ""),
  });
}

/** The same, asked for once. */
export function fetchOwnBlueprint(id: string): Promise<OwnBlueprint> {
  return unwrap(api.GET("/api/v1/{tenant}/blueprints/custom/{id}", { params: { path: inTenant({ id }) } }));
}

/** What is kept of a blueprint. */
export interface BlueprintText {
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly source: string;
}

/** Keeps a new blueprint, or replaces the one that is named. */
export function useSaveBlueprint(id: MaybeRefOrGetter<string | undefined>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (text: BlueprintText) => {
      const known = toValue(id);
      const body = { ...text, tags: [...text.tags], description: text.description || null };
      return known === undefined
        ? unwrap(api.POST("/api/v1/{tenant}/blueprints/custom", { params: { path: inTenant() }, body }))
        : unwrap(api.PUT("/api/v1/{tenant}/blueprints/custom/{id}", { params: { path: inTenant({ id: known }) }, body }));
    },
    onSuccess: () => forget(queries),
  });
}

export function useDeleteBlueprint() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE("/api/v1/{tenant}/blueprints/custom/{id}", { params: { path: inTenant({ id }) } })),
    onSuccess: () => forget(queries),
  });
}

function forget(queries: ReturnType<typeof useQueryClient>): Promise<unknown> {
  return Promise.all(["own-blueprints", "own-blueprint", "own-blueprint-tags"].map((name) => queries.invalidateQueries({ queryKey: [name] })));
}

/** The flow that the text of a blueprint makes of arguments; nothing is stored. */
export async function previewBlueprint(draft: BlueprintDraft): Promise<string> {
  return (await unwrap(api.POST("/api/v1/{tenant}/blueprints/flows/preview", { params: { path: inTenant() }, body: draft }))).generatedFlowSource;
}

/** The flow that a kept blueprint makes of arguments; an empty id asks for nothing. */
export function useMadeFlow(id: MaybeRefOrGetter<string>, answers: Readonly<Record<string, unknown>>) {
  return useQuery({
    queryKey: ["made-flow", computed(() => toValue(id)), answers] as const,
    queryFn: async ({ queryKey: [, blueprint, values] }) => {
      const body = { templateArgumentsInputs: { ...values } };
      const made = await unwrap(api.POST("/api/v1/{tenant}/blueprints/flows/{id}/use-template", { params: { path: inTenant({ id: blueprint }) }, body }));
      return made.generatedFlowSource;
    },
    enabled: computed(() => toValue(id) !== ""),
    retry: false,
  });
}
