import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { useRoute, useRouter } from "vue-router";
import { ANY, isFiltered, readFilters, withDefaults, withFilter, type FilterName, type Filters } from "@/lib/filters";
import { useSettings } from "@/stores/settings";

export interface ListOptions {
  /** Rows of a page, when the reader's setting is not meant. */
  readonly size?: number;
  /** What else the page keeps in the address. */
  readonly others?: readonly string[];
  /** Filters that hold until the address says otherwise. */
  readonly defaults?: MaybeRefOrGetter<Filters>;
}

/** Filters, page and order of a list, all kept in the address. */
export function useListQuery({ size, others = [], defaults = {} }: ListOptions = {}) {
  const route = useRoute();
  const router = useRouter();
  const settings = useSettings();
  const written = computed(() => readFilters(route.query));
  const filters = computed(() => withDefaults(written.value, toValue(defaults)));
  const page = computed(() => Math.max(1, Number(route.query.page) || 1));
  const sort = computed(() => (typeof route.query.sort === "string" ? route.query.sort : undefined));

  function show(next: Filters, extra: Record<string, string | undefined> = {}): void {
    const own = Object.fromEntries(others.map((name) => [name, route.query[name]]));
    const kept = Object.fromEntries(Object.entries({ ...own, sort: sort.value, ...extra }).filter(([, value]) => value));
    void router.replace({ path: route.path, query: { ...next, ...kept } });
  }

  /** A filter that holds by default is taken away by saying so. */
  function setFilter(name: FilterName, value: string | undefined): void {
    show(withFilter(written.value, name, value ?? (toValue(defaults)[name] ? ANY : undefined)));
  }

  return {
    /** The filters in force. */
    filters,
    page,
    sort,
    /** True when the reader asked for less than the list shows by itself. */
    narrowed: computed(() => isFiltered(written.value)),
    size: size ?? settings.pageSize,
    setFilter,
    setFilters: (next: Filters) => show({ ...written.value, ...next }),
    /** The list as somebody saved it. */
    restore: (query: Readonly<Record<string, string>>) => void router.push({ path: route.path, query: { ...query } }),
    clear: () => show({}),
    /** Without any filter, those that hold by default included. */
    showAll: () => show(Object.fromEntries(Object.keys(toValue(defaults)).map((name) => [name, ANY]))),
    setPage: (next: number) => show(written.value, { page: next > 1 ? String(next) : undefined }),
    setSort: (next: string) => show(written.value, { sort: next }),
  };
}
