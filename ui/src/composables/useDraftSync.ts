import { onScopeDispose, shallowRef } from "vue";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import type { Draft } from "@/lib/drafts";

const SEND_AFTER = 700;
const PLACE = "/api/v1/me/drafts/{name}";

/** An unsaved text as this browser keeps it for when the server is away. */
export interface Kept {
  readonly text: string;
  readonly revision?: number;
  /** The version of the server's draft that it follows. */
  readonly version?: string;
  /** True when the server has this very text. */
  readonly told?: boolean;
}

interface Text {
  /** What is unsaved now, if anything is. */
  mine: () => Pick<Kept, "text" | "revision"> | undefined;
  /** Called with what this browser is to keep; with nothing once nothing is unsaved. */
  keep: (kept: Kept | undefined) => void;
  /** Called when the draft was saved or discarded on another device. */
  gone: () => void;
}

/**
 * Keeps an unsaved text on the server for its writer, and tells of one that was written elsewhere: on another
 * device or in another window. Neither overwrites the other until the writer has chosen (BEY-043).
 */
export function useDraftSync(name: string, first: Kept | undefined, { mine, keep, gone }: Text) {
  const other = shallowRef<Draft>();
  let version = first?.version;
  /** The text that needs no telling. */
  let told = first?.told ? first.text : undefined;
  let hasMet = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = Promise.resolve();

  /** One call after the other; while the server is away the browser's copy waits for the next change. */
  function next(step: () => Promise<void>): Promise<void> {
    turn = turn.then(step).catch(() => undefined);
    return turn;
  }

  async function meet(): Promise<void> {
    const query = { name };
    const { results: [draft] } = await unwrap(api.GET("/api/v1/me/drafts", { params: { query } }));
    hasMet = true;
    const text = mine()?.text;
    if (draft && draft.source === text) {
      ({ version, source: told } = draft);
    } else if (draft && draft.version !== version) {
      other.value = draft;
    } else if (!draft && version && told !== undefined && told === text) {
      version = told = undefined;
      gone();
    } else if (!draft) {
      version = told = undefined;
    }
    remember();
  }

  function remember(): void {
    const text = mine();
    keep(text && { ...text, version, told: text.text === told });
  }

  async function send(): Promise<void> {
    if (!hasMet) await meet();
    const text = mine();
    if (other.value || text?.text === told) return;
    try {
      if (text) await put(text.text, text.revision);
      else await remove();
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 409)) throw error;
      version = undefined;
      await meet();
    }
  }

  async function put(source: string, revision?: number): Promise<void> {
    const kept = await unwrap(api.PUT(PLACE, { params: { path: { name } }, body: { source, revision: revision ?? null, seen: version ?? null } }));
    ({ version, source: told } = kept);
    remember();
  }

  async function remove(): Promise<void> {
    if (version) await unwrap(api.DELETE(PLACE, { params: { path: { name }, query: { seen: version } } }));
    version = told = undefined;
  }

  const tell = () => next(send);

  /** To be called with every change. */
  function changed(): void {
    remember();
    clearTimeout(timer);
    timer = setTimeout(() => void tell(), SEND_AFTER);
  }

  /** Forgets the draft of a text that was saved. */
  function saved(text: string): void {
    clearTimeout(timer);
    keep(undefined);
    told = text;
    void next(async () => {
      await remove().catch(() => undefined);
      told = text;
    });
  }

  /** Goes on with what was written elsewhere. */
  function take(): Draft | undefined {
    const draft = other.value;
    if (draft) ({ version, source: told } = draft);
    other.value = undefined;
    return draft;
  }

  /** Goes on with what is here, in place of what was written elsewhere. */
  function stay(): void {
    ({ version, source: told } = other.value ?? { version, source: told });
    other.value = undefined;
    void tell();
  }

  void next(meet).then(tell);
  onScopeDispose(() => {
    clearTimeout(timer);
    void tell();
  });

  return { other, changed, tell, saved, take, stay };
}
