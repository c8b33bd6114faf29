import { queryOptions, useQuery } from "@tanstack/vue-query";
import { api, unwrap } from "@/api/client";

/** What an instance tells of itself; before the login only what the login page needs. */
export const instanceQuery = queryOptions({
  queryKey: ["instance"],
  queryFn: () => unwrap(api.GET("/api/v1/configs")),
  staleTime: 60_000,
});

/** Who is signed in. */
export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: () => unwrap(api.GET("/api/v1/me")),
  staleTime: 60_000,
});

export function useInstance() {
  return useQuery(instanceQuery);
}
