import { onlineManager, useQueryClient } from "@tanstack/vue-query";
import { onScopeDispose, ref, type Ref } from "vue";
import { ApiError } from "@/api/errors";

/** Whether the server cannot be reached: from the first question without any answer until the next with one. */
export function useConnectionLost(): Readonly<Ref<boolean>> {
  const lost = ref(!onlineManager.isOnline());
  const leave = [
    onlineManager.subscribe((online) => (lost.value = !online)),
    useQueryClient().getQueryCache().subscribe((event) => {
      if (event.type !== "updated") return;
      if (event.action.type === "success") lost.value = false;
      else if (event.action.type === "error" && isUnanswered(event.action.error)) lost.value = true;
    }),
  ];
  onScopeDispose(() => leave.forEach((stop) => stop()));
  return lost;
}

function isUnanswered(error: unknown): boolean {
  return error instanceof ApiError && error.status === 0;
}
