import { onScopeDispose, readonly, ref, type Ref } from "vue";

/** What the system's own theme asks for. */
export const DARK = "(prefers-color-scheme: dark)";

/** Whether a media query holds, as it changes. */
export function useMedia(text: string): Readonly<Ref<boolean>> {
  const query = matchMedia(text);
  const holds = ref(query.matches);
  const follow = (): void => void (holds.value = query.matches);
  query.addEventListener("change", follow);
  onScopeDispose(() => query.removeEventListener("change", follow));
  return readonly(holds);
}
