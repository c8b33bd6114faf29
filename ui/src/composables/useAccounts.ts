import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, openBody, unwrap } from "@/api/client";
import type { components } from "@/api/schema";

export type Account = components["schemas"]["ServiceAccount"];
export type ApiToken = components["schemas"]["ApiToken"];

const PLACE = "/api/v1/service-accounts";
const OWN = "/api/v1/me/api-tokens";
const MOST = 1_000;

/** The accounts of programs, by name. */
export function useAccounts() {
  return useQuery({ queryKey: ["accounts"], queryFn: () => unwrap(api.GET(PLACE, { params: { query: { page: 1, size: MOST } } })) });
}

export type AccountChange =
  | { readonly kind: "create"; readonly name: string; readonly description?: string }
  | { readonly kind: "switch"; readonly id: string; readonly disabled: boolean }
  | { readonly kind: "delete"; readonly id: string };

/** Makes an account, switches one off or on, or deletes one with its tokens. */
export function useAccountChange() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (change: AccountChange): Promise<void> => {
      if (change.kind === "create") await unwrap(api.POST(PLACE, openBody({ name: change.name, description: change.description })));
      else if (change.kind === "switch") await unwrap(api.PATCH(`${PLACE}/{id}`, { params: { path: { id: change.id } }, ...openBody({ disabled: change.disabled }) }));
      else await unwrap(api.DELETE(`${PLACE}/{id}`, { params: { path: { id: change.id } } }));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["accounts"] }),
  });
}

/** The API tokens of an account, or the reader's own; their values are known to nobody. */
export function useTokens(account: MaybeRefOrGetter<string | undefined>) {
  return useQuery({
    queryKey: ["tokens", computed(() => toValue(account) ?? "")] as const,
    queryFn: ({ queryKey: [, id] }) => (id ? unwrap(api.GET(`${PLACE}/{id}/api-tokens`, { params: { path: { id } } })) : unwrap(api.GET(OWN, {}))),
  });
}

export interface TokenOrder {
  readonly name: string;
  /** An ISO duration; without it the token is good until it is revoked. */
  readonly maxAge?: string;
}

/** Makes a token; the answer has its value, this once. */
export function useCreateToken(account: MaybeRefOrGetter<string | undefined>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, maxAge }: TokenOrder) => {
      const [id, body] = [toValue(account), openBody({ name, maxAge })];
      return id ? unwrap(api.POST(`${PLACE}/{id}/api-tokens`, { params: { path: { id } }, ...body })) : unwrap(api.POST(OWN, body));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["tokens", toValue(account) ?? ""] }),
  });
}

/** Makes a token worthless. */
export function useRevokeToken(account: MaybeRefOrGetter<string | undefined>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (tokenId: string): Promise<void> => {
      const id = toValue(account);
      if (id) await unwrap(api.DELETE(`${PLACE}/{id}/api-tokens/{tokenId}`, { params: { path: { id, tokenId } } }));
      else await unwrap(api.DELETE(`${OWN}/{tokenId}`, { params: { path: { tokenId } } }));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["tokens", toValue(account) ?? ""] }),
  });
}
