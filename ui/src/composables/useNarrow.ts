import type { Ref } from "vue";
import { useMedia } from "./useMedia";

/** Whether the window is at most so many pixels wide, as it changes. */
export function useNarrow(pixels: number): Readonly<Ref<boolean>> {
  return useMedia(`(max-width: ${pixels}px)`);
}
