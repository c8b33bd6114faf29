import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, inTenant, unwrap } from "@/api/client";
import { asForm } from "./useExecutions";

/** What lies in a folder of a namespace's files: folders first. */
export function useFolder(namespace: MaybeRefOrGetter<string>, path: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["files", computed(() => toValue(namespace)), computed(() => toValue(path))] as const,
    queryFn: async ({ queryKey }) => {
      const params = { path: inTenant({ namespace: queryKey[1] }), query: { path: queryKey[2] } };
      const entries = await unwrap(api.GET("/api/v1/{tenant}/namespaces/{namespace}/files/directory", { params }));
      return entries
        .map(({ fileName, type }) => ({ name: fileName, path: `${queryKey[2]}/${fileName}`, isFolder: type.toLowerCase() === "directory" }))
        .sort((a, b) => Number(b.isFolder) - Number(a.isFolder) || a.name.localeCompare(b.name));
    },
    placeholderData: keepPreviousData,
  });
}

export interface FileAt {
  readonly namespace: string;
  /** Nothing is asked for with an empty path. */
  readonly path: string;
  /** The newest without it. */
  readonly revision?: number;
}

/** The text of a file. */
export function useFileText(file: MaybeRefOrGetter<FileAt>) {
  return useQuery({
    queryKey: ["file", computed(() => toValue(file))] as const,
    queryFn: async ({ queryKey: [, { namespace, path, revision }] }) => {
      const params = { path: inTenant({ namespace }), query: { path, revision } };
      const text: unknown = await unwrap(api.GET("/api/v1/{tenant}/namespaces/{namespace}/files", { params, parseAs: "text" }));
      // The client has no data for an empty answer; an empty file is a file.
      return typeof text === "string" ? text : "";
    },
    enabled: computed(() => toValue(file).path !== ""),
  });
}

/** The numbers of the revisions of a file, newest first. */
export function useFileRevisions(namespace: MaybeRefOrGetter<string>, path: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: ["file-revisions", computed(() => toValue(namespace)), computed(() => toValue(path))] as const,
    queryFn: async ({ queryKey }) => {
      const params = { path: inTenant({ namespace: queryKey[1] }), query: { path: queryKey[2] } };
      const found = await unwrap(api.GET("/api/v1/{tenant}/namespaces/{namespace}/files/revisions", { params }));
      return found.map(({ revision }) => revision).sort((a, b) => b - a);
    },
  });
}

export type FileChange =
  | { readonly kind: "save"; readonly path: string; readonly content: Blob }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "move"; readonly path: string; readonly to: string }
  | { readonly kind: "restore"; readonly path: string; readonly revision: number }
  | { readonly kind: "delete"; readonly path: string };

/** Changes the files of a namespace. */
export function useFileChange(namespace: MaybeRefOrGetter<string>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (change: FileChange) => carryOut(toValue(namespace), change),
    onSuccess: () => Promise.all(["files", "file", "file-revisions"].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

function carryOut(namespace: string, change: FileChange): Promise<unknown> {
  const place = inTenant({ namespace });
  const params = { path: place, query: { path: change.path } };
  switch (change.kind) {
    case "save": {
      const form = new FormData();
      form.append("fileContent", change.content, change.path.split("/").at(-1));
      return unwrap(api.POST("/api/v1/{tenant}/namespaces/{namespace}/files", { params, ...asForm(form), parseAs: "text" }));
    }
    case "folder":
      return unwrap(api.POST("/api/v1/{tenant}/namespaces/{namespace}/files/directory", { params, parseAs: "text" }));
    case "move":
      return unwrap(api.PUT("/api/v1/{tenant}/namespaces/{namespace}/files", { params: { path: place, query: { from: change.path, to: change.to } }, parseAs: "text" }));
    case "restore": {
      const query = { path: change.path, revision: change.revision };
      return unwrap(api.POST("/api/v1/{tenant}/namespaces/{namespace}/files/revisions/restore", { params: { path: place, query }, parseAs: "text" }));
    }
    case "delete":
      return unwrap(api.DELETE("/api/v1/{tenant}/namespaces/{namespace}/files", { params, parseAs: "text" }));
  }
}
