/** The names of the bundled icons: one for each state's tone, the others by what they stand for. */
import type { Action } from "@/lib/actions";
import type { Tone } from "@/lib/states";

export type IconName =
  | Tone | "back" | "down" | "left" | "right" | "fold" | "unfold" | "pending" | "copy" | "download" | "source" | "again" | "waiting" | "log"
  | "signout" | "system" | "dark" | "light" | "more" | "edit" | "play" | "plus" | "refresh" | "search" | "stop" | "terminal" | "trash"
  | "offline" | "flow" | "close" | "trigger" | "label" | "force" | "folder" | "plugin" | "settings" | "home" | "topology" | "key" | "unlock" | "minus" | "fit" | "eye" | "check" | "upload" | "history" | "book" | "form" | "folderPlus" | "link"
  | "up" | "star" | "chart" | "server" | "keyboard" | "blueprint" | "test" | "asset";

/** The icon of each action on executions. */
export const ACTION_ICONS: Record<Action, IconName> = {
  kill: "stop", pause: "paused", resume: "play", goOn: "play", restart: "retrying", replay: "again", forceRun: "force", unqueue: "waiting", changeState: "edit",
  setLabels: "label", delete: "trash",
};
