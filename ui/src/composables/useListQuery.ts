import { computed } from "vue";
import { useRoute, useRouter } from "vue-router";
import { readFilters, withFilter, type FilterName, type Filters } from "@/lib/filters";

/** Filters, page and order of a list, all kept in the address; `others` are what else the page keeps there. */
export function useListQuery(pageSize = 25, others: readonly string[] = []) {
  const route = useRoute();
  const router = useRouter();
  const filters = computed(() => readFilters(route.query));
  const page = computed(() => Math.max(1, Number(route.query.page) || 1));
  const sort = computed(() => (typeof route.query.sort === "string" ? route.query.sort : undefined));

  function show(next: Filters, extra: Record<string, string | undefined> = {}): void {
    const own = Object.fromEntries(others.map((name) => [name, route.query[name]]));
    const kept = Object.fromEntries(Object.entries({ ...own, sort: sort.value, ...extra }).filter(([, value]) => value));
    void router.replace({ path: route.path, query: { ...next, ...kept } });
  }

  return {
    filters,
    page,
    sort,
    size: pageSize,
    setFilter: (name: FilterName, value: string | undefined) => show(withFilter(filters.value, name, value)),
    clear: () => show({}),
    setPage: (next: number) => show(filters.value, { page: next > 1 ? String(next) : undefined }),
    setSort: (next: string) => show(filters.value, { sort: next }),
  };
}
