import { useMutation, useQueries, useQuery, useQueryClient, type QueryClient } from "@tanstack/vue-query";
import { computed } from "vue";
import { useRouter, type RouteLocation } from "vue-router";
import { api, inTenant, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import type { Page } from "@/lib/preferences";
import { fetchBlueprint } from "./useBlueprints";

const BOOKMARKS = ["bookmarks"];
const PLACE = "/api/v1/me/bookmarks/{bookmarkId}";

/** The pages somebody starred, the same on every device (UI-010, UI-160). */
export function useBookmarks() {
  return useQuery({ queryKey: BOOKMARKS, queryFn: async () => (await unwrap(api.GET("/api/v1/me/bookmarks", {}))).results });
}

/** Stars a page, renames a bookmark or removes it; the list is read again even when that was refused. */
export function useBookmarkChange() {
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: BOOKMARKS });
  const path = (bookmarkId: string) => ({ params: { path: { bookmarkId } } });
  const star = useMutation({ mutationFn: (body: Page) => unwrap(api.POST("/api/v1/me/bookmarks", { body })), onSettled });
  const rename = useMutation({ mutationFn: ({ id, name }: { id: string; name: string }) => unwrap(api.PATCH(PLACE, { ...path(id), body: { name } })), onSettled });
  const remove = useMutation({ mutationFn: (id: string) => unwrap(api.DELETE(PLACE, path(id))), onSettled });
  return { star, rename, remove };
}

/** Stars pages, each once. */
export async function keepBookmarks(queries: QueryClient, pages: readonly Page[]): Promise<void> {
  for (const { name, path } of pages) await unwrap(api.POST("/api/v1/me/bookmarks", { body: { name, path } })).catch(() => undefined);
  await queries.invalidateQueries({ queryKey: BOOKMARKS });
}

/** The addresses of bookmarks whose object is not there any more. */
export function useDeadLinks() {
  const router = useRouter();
  const { data } = useBookmarks();
  const answers = useQueries({
    queries: computed(() =>
      (data.value ?? []).map(({ path }) => ({
        queryKey: ["is-there", path],
        queryFn: () => isThere(router.resolve(path)),
        staleTime: 60_000,
        retry: false,
      })),
    ),
  });
  return computed(() => new Set((data.value ?? []).flatMap(({ path }, at) => (answers.value[at]?.data === false ? [path] : []))));
}

/** Whether a page has something to show; only what the server does not know is gone. */
async function isThere(page: RouteLocation): Promise<boolean> {
  try {
    await looked(page);
    return page.name !== "missing";
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

function looked({ name, params }: RouteLocation): Promise<unknown> | undefined {
  const { namespace = "", id = "", cls = "" } = params as Record<string, string | undefined>;
  switch (name) {
    case "flow":
      return unwrap(api.GET("/api/v1/{tenant}/flows/{namespace}/{id}", { params: { path: inTenant({ namespace, id }) } }));
    case "execution":
      return unwrap(api.GET("/api/v1/{tenant}/executions/{execution_id}", { params: { path: inTenant({ execution_id: id }) } }));
    case "dashboards":
    case "dashboard-edit":
      return id ? unwrap(api.GET("/api/v1/{tenant}/dashboards/{id}", { params: { path: inTenant({ id }) } })) : undefined;
    case "blueprint":
      return fetchBlueprint(id);
    case "plugin":
      return unwrap(api.GET("/api/v1/plugins/{cls}", { params: { path: { cls } } }));
    default:
      return undefined;
  }
}
