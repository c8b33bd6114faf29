import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { watch } from "vue";
import { api, unwrap } from "@/api/client";
import { bookmarksIn, changesOf, keptOf, mergedWith, readKnown, understood, type Preferences } from "@/lib/preferences";
import { SETTINGS_KEY, useSettings } from "@/stores/settings";
import { keepBookmarks } from "./useBookmarks";

const KNOWN_KEY = "penstock.settings.known";
const PREFERENCES = ["preferences"];

/** Keeps the settings of this browser and those on the server the same, for as long as somebody is signed in (UI-020, UI-160). */
export function usePreferences(): void {
  const { values } = useSettings();
  const queries = useQueryClient();
  const earlier = bookmarksIn(localStorage.getItem(SETTINGS_KEY));
  let known = readKnown(localStorage.getItem(KNOWN_KEY));
  let isSending = false;
  const { data } = useQuery({ queryKey: PREFERENCES, queryFn: () => unwrap(api.GET("/api/v1/me/preferences", {})) });

  watch(data, (server) => server && take(server), { immediate: true });
  watch(values, () => void tell());

  function take(server: Preferences): void {
    if (!known && earlier.length > 0) void keepBookmarks(queries, earlier);
    const merged = mergedWith(server, values, known);
    known = understood(server);
    localStorage.setItem(KNOWN_KEY, JSON.stringify(known));
    Object.assign(values, merged);
    void tell();
  }

  /** What could not be told stays to be told: with the next change, or when the server is heard of again. */
  async function tell(): Promise<void> {
    const changes = changesOf(known?.values ?? {}, keptOf(values));
    if (!known || isSending || Object.keys(changes).length === 0) return;
    isSending = true;
    await queries.cancelQueries({ queryKey: PREFERENCES });
    const server = await unwrap(api.PATCH("/api/v1/me/preferences", { body: changes })).catch(() => undefined);
    isSending = false;
    if (!server) return;
    await queries.cancelQueries({ queryKey: PREFERENCES });
    queries.setQueryData(PREFERENCES, server);
  }
}

/** Forgets all settings and bookmarks, here and on the server. */
export function useForgetting() {
  const settings = useSettings();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(api.DELETE("/api/v1/me/preferences", {})),
    onSuccess: async () => {
      settings.reset();
      await queries.invalidateQueries({ queryKey: ["bookmarks"] });
    },
  });
}
