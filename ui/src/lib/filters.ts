/** Filters of a list: held in the page's address, shown as chips, sent as the API's filter parameters. */

export interface Filters {
  readonly q?: string;
  readonly state?: string;
  readonly namespace?: string;
  readonly flowId?: string;
  readonly triggerId?: string;
  readonly scope?: string;
  readonly timeRange?: string;
  readonly labels?: string;
  readonly type?: string;
}

export type FilterName = keyof Filters;

const NAMES: FilterName[] = ["q", "state", "namespace", "flowId", "triggerId", "scope", "timeRange", "labels", "type"];

/** Written in the address where the reader wants no filter although the list has one by default. */
export const ANY = "*";

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

/** The filters in force: those of the address, and a list's own for what the address says nothing of. */
export function withDefaults(written: Filters, defaults: Filters): Filters {
  return Object.fromEntries(Object.entries({ ...defaults, ...written }).filter(([, value]) => value && value !== ANY));
}

/** The API's parameters for these filters; several values of one filter are separated by commas. */
export function filterParams(filters: Filters): Record<string, string> {
  const params: Record<string, string> = {};
  if (filters.q) params["filters[q][EQUALS]"] = filters.q;
  if (filters.state) params["filters[state][IN]"] = filters.state;
  for (const name of ["namespace", "flowId", "triggerId", "scope"] as const) {
    const value = filters[name];
    if (value) params[`filters[${name}][${value.includes(",") ? "IN" : "EQUALS"}]`] = value;
  }
  if (filters.type) params["filters[type][CONTAINS]"] = filters.type;
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
  return Object.values(filters).some((value) => value !== ANY);
}

const WORD = /(?:[^\s"]|"[^"]*"?)+/g;
/** How filters are called where one types them. */
const TYPED: Readonly<Record<string, FilterName>> = {
  state: "state", namespace: "namespace", flow: "flowId", flowid: "flowId", trigger: "triggerId", triggerid: "triggerId", scope: "scope", time: "timeRange", timerange: "timeRange",
  label: "labels", labels: "labels", type: "type",
};

/**
 * What somebody typed into the search field: `key:value` of an offered filter becomes that filter, the rest stays text.
 *
 * A comma within a key means "or", a blank between words "and", quotes keep blanks together (UI-161).
 */
export function parseSearch(text: string, offered: readonly FilterName[]): Filters {
  const found: Partial<Record<FilterName, string>> = {};
  const rest: string[] = [];
  for (const word of text.match(WORD) ?? []) {
    const cut = word.indexOf(":");
    const name = cut > 0 ? TYPED[word.slice(0, cut).toLowerCase()] : undefined;
    const value = unquoted(word.slice(cut + 1));
    if (!name || !offered.includes(name) || !value) rest.push(unquoted(word));
    else if (name === "labels" && found.labels) found.labels = `${found.labels},${value}`;
    else found[name] = name === "state" || name === "scope" ? value.toUpperCase() : value;
  }
  return rest.length > 0 ? { ...found, q: rest.join(" ") } : found;
}

function unquoted(word: string): string {
  return word.replaceAll('"', "");
}
