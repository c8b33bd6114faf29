import { onScopeDispose, ref, watch, type Ref } from "vue";

/** A value once it has rested for some milliseconds. */
export function useDebounced<T>(value: Readonly<Ref<T>>, rest: number): Readonly<Ref<T>> {
  const settled = ref(value.value) as Ref<T>;
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(value, (next) => {
    clearTimeout(timer);
    timer = setTimeout(() => (settled.value = next), rest);
  });
  onScopeDispose(() => clearTimeout(timer));
  return settled;
}
