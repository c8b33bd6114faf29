/** Filters of a list: held in the page's address, shown as chips, sent as the API's filter parameters. */

export interface Filters {
  readonly q?: string;
  readonly state?: string;
  readonly namespace?: string;
  readonly flowId?: string;
  readonly timeRange?: string;
  readonly labels?: string;
}

export type FilterName = keyof Filters;

const NAMES: FilterName[] = ["q", "state", "namespace", "flowId", "timeRange", "labels"];

type AddressQuery = Record<string, string | null | (string | null)[] | undefined>;

/** The filters an address names. */
export function readFilters(query: AddressQuery): Filters {
  return Object.fromEntries(
    NAMES.flatMap((name) => {
      const given = query[name];
      const text = Array.isArray(given) ? given[0] : given;
      return text ? [[name, text]] : [];
    }),
  );
}

/** The API's parameters for these filters. */
export function filterParams(filters: Filters): Record<string, string> {
  const params: Record<string, string> = {};
  if (filters.q) params["filters[q][EQUALS]"] = filters.q;
  if (filters.state) params["filters[state][IN]"] = filters.state;
  if (filters.namespace) params["filters[namespace][EQUALS]"] = filters.namespace;
  if (filters.flowId) params["filters[flowId][EQUALS]"] = filters.flowId;
  if (filters.timeRange) params["filters[timeRange][EQUALS]"] = filters.timeRange;
  for (const [key, value] of labelsOf(filters)) params[`filters[labels][EQUALS][${key}]`] = value;
  return params;
}

/** Labels are written `key:value`, several separated by commas. */
export function labelsOf(filters: Filters): [string, string][] {
  return (filters.labels ?? "").split(",").flatMap((entry): [string, string][] => {
    const cut = entry.indexOf(":");
    return cut > 0 ? [[entry.slice(0, cut).trim(), entry.slice(cut + 1).trim()]] : [];
  });
}

/** The filter of a name changed; an empty value removes it. */
export function withFilter(filters: Filters, name: FilterName, value: string | undefined): Filters {
  const rest = Object.entries(filters).filter(([key]) => key !== name);
  return Object.fromEntries(value ? [...rest, [name, value]] : rest);
}

export function isFiltered(filters: Filters): boolean {
  return Object.keys(filters).length > 0;
}
