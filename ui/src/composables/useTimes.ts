import { computed } from "vue";
import { useI18n } from "vue-i18n";
import { formatDate, formatDay } from "@/lib/dates";
import { clockTime } from "@/lib/time";
import { useSettings } from "@/stores/settings";

/** Moments in the zone and the format of the reader's settings (UI-023). */
export function useTimes() {
  const settings = useSettings();
  const { locale } = useI18n();
  const zone = computed(() => settings.timeZone || undefined);

  return {
    zone,
    /** The whole moment, for a tooltip or a fact. */
    absolute: (moment: number): string => formatDate(moment, { format: settings.dateFormat, locale: locale.value, timeZone: zone.value }),
    /** Month and day. */
    day: (moment: number): string => formatDay(moment, { locale: locale.value, timeZone: zone.value }),
    /** Hour to millisecond. */
    clock: (moment: number): string => clockTime(moment, zone.value),
  };
}
