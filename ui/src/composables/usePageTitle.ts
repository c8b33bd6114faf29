import { toValue, watchEffect, type MaybeRefOrGetter } from "vue";

/** The title of the browser tab: what the page shows, then the product. */
export function usePageTitle(title: MaybeRefOrGetter<string>): void {
  watchEffect(() => {
    const text = toValue(title);
    document.title = text ? `${text} · Penstock` : "Penstock";
  });
}
