import { computed } from "vue";
import { useI18n } from "vue-i18n";
import type { Ink } from "@/lib/chartOptions";
import { useSettings } from "@/stores/settings";
import { DARK, useMedia } from "./useMedia";
import { useTimes } from "./useTimes";

/** The colours and words of the page for drawings, which cannot read them from its styles; new with each theme. */
export function useInk() {
  const settings = useSettings();
  const times = useTimes();
  const { locale, t, te } = useI18n();
  const dark = useMedia(DARK);

  return computed<Ink & { readonly key: string }>(() => ({
    key: `${settings.theme} ${settings.chartColours} ${dark.value}`,
    colour: colourOf,
    font: getComputedStyle(document.documentElement).fontFamily,
    locale: locale.value,
    timeZone: times.zone.value,
    nameOf: (value) => (te(`states.${value}`) ? t(`states.${value}`) : value),
  }));
}

function colourOf(token: string): string {
  const probe = document.createElement("i");
  probe.className = "drawing";
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
