import { inject, onScopeDispose, provide, reactive, type InjectionKey } from "vue";

export interface Shortcut {
  /** Keys as they are pressed: "?", "ctrl+k", or two in a row: "g f". */
  readonly keys: string;
  readonly label: string;
  readonly run: () => void;
}

export interface Registry {
  readonly list: Shortcut[];
}

const KEY: InjectionKey<Registry> = Symbol("shortcuts");
const SEQUENCE_MS = 1_000;

/** Makes the registry of a page tree and listens for its keys; called once, by the shell. */
export function provideShortcuts(): Registry {
  const registry: Registry = { list: reactive([]) };
  let first = "";
  let timer: ReturnType<typeof setTimeout> | undefined;

  function onKey(event: KeyboardEvent): void {
    const key = nameOf(event);
    if (event.defaultPrevented || (isTyping(event.target) && !key.startsWith("ctrl+"))) return;
    // Enter and Space belong to the link or button that has the focus.
    if ((key === "enter" || key === " ") && event.target instanceof Element && event.target.closest("a, button, summary")) return;
    const found = registry.list.findLast((entry) => entry.keys === `${first} ${key}`.trim() || entry.keys === key);
    clearTimeout(timer);
    first = found ? "" : key;
    timer = setTimeout(() => (first = ""), SEQUENCE_MS);
    if (!found) return;
    event.preventDefault();
    found.run();
  }

  document.addEventListener("keydown", onKey);
  onScopeDispose(() => document.removeEventListener("keydown", onKey));
  provide(KEY, registry);
  return registry;
}

/** Registers shortcuts for as long as the calling component lives. */
export function useShortcuts(shortcuts: readonly Shortcut[], registry = inject(KEY)): void {
  if (!registry) return;
  registry.list.push(...shortcuts);
  onScopeDispose(() => {
    for (const shortcut of shortcuts) {
      const at = registry.list.findIndex((entry) => entry.run === shortcut.run && entry.keys === shortcut.keys);
      if (at >= 0) registry.list.splice(at, 1);
    }
  });
}

function nameOf(event: KeyboardEvent): string {
  const key = event.key.toLowerCase();
  return event.ctrlKey || event.metaKey ? `ctrl+${key}` : key;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName) || target.closest("[role=dialog],[role=alertdialog],[role=menu]") !== null;
}
