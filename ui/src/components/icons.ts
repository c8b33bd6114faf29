/** The names of the bundled icons: one for each state's tone, the others by what they stand for. */
import type { Tone } from "@/lib/states";

export type IconName =
  | Tone | "back" | "down" | "right" | "fold" | "unfold" | "pending" | "copy" | "download" | "source" | "again" | "waiting" | "log"
  | "signout" | "system" | "dark" | "light" | "more" | "edit" | "play" | "plus" | "refresh" | "search" | "stop" | "terminal" | "trash"
  | "offline" | "flow" | "close" | "trigger";
