import { onScopeDispose, readonly, ref, type Ref } from "vue";

/** Whether the window is at most so many pixels wide, as it changes. */
export function useNarrow(pixels: number): Readonly<Ref<boolean>> {
  const query = matchMedia(`(max-width: ${pixels}px)`);
  const narrow = ref(query.matches);
  const follow = (): void => void (narrow.value = query.matches);
  query.addEventListener("change", follow);
  onScopeDispose(() => query.removeEventListener("change", follow));
  return readonly(narrow);
}
