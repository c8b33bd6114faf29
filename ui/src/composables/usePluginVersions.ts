import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { api, unwrap } from "@/api/client";

const KEY = ["plugin-versions"];

export interface PluginVersion {
  readonly groupId: string;
  readonly artifactId: string;
  readonly version: string;
}

/** The plugins that have environments of their own, one entry for each version (ENG-321). */
export function usePluginVersions() {
  return useQuery({ queryKey: KEY, queryFn: () => unwrap(api.GET("/api/v1/instance/versioned-plugins", {})) });
}

/** Installs a package as a plugin (ENG-322). */
export function useInstallPlugin() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => unwrap(api.POST("/api/v1/instance/versioned-plugins/install", { body: { plugins: [name] } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

export function useUninstallPlugin() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ groupId, artifactId, version }: PluginVersion) => unwrap(api.DELETE("/api/v1/instance/versioned-plugins/uninstall", { body: { plugins: [`${groupId}:${artifactId}:${version}`] } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}
