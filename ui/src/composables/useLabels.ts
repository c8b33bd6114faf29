import type { Label } from "@/api/types";
import { labelList } from "@/lib/labels";
import { useInstance } from "./useInstance";

/** The labels a reader cares for: without those whose prefix the instance hides. */
export function useLabels(): (labels: unknown) => Label[] {
  const { data: instance } = useInstance();
  return (labels) => labelList(labels, instance.value?.hiddenLabelsPrefixes ?? undefined);
}
