/** Following a server-sent event stream: reopened with growing pauses, and honest about being stale. */

export interface StreamSource {
  onopen: ((event: Event) => void) | null;
  onerror: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent<string>) => void) | null;
  close(): void;
}

export interface FollowOptions<T> {
  /** Where the stream is; asked for again at each connection. */
  readonly url: string | (() => string);
  /** One message; the empty keep-alive ones are left out. Return true to end the following. */
  readonly onItem: (item: T) => boolean | undefined;
  /** A connection stands; called again after every reconnection. */
  readonly onOpen?: () => void;
  /** True while the connection is lost, false when it stands again. */
  readonly onStale?: (stale: boolean) => void;
  readonly open?: (url: string) => StreamSource;
  readonly wait?: (ms: number, then: () => void) => () => void;
}

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/** Follows a stream until the returned function is called or an item ends it. */
export function follow<T>(options: FollowOptions<T>): () => void {
  const open = options.open ?? ((url: string) => new EventSource(url));
  const wait = options.wait ?? waitByTimer;
  let source: StreamSource | undefined;
  let cancelWait: (() => void) | undefined;
  let failures = 0;
  let stopped = false;

  function stop(): void {
    stopped = true;
    cancelWait?.();
    source?.close();
  }

  function connect(): void {
    if (stopped) return;
    source = open(typeof options.url === "string" ? options.url : options.url());
    source.onopen = () => {
      options.onStale?.(false);
      options.onOpen?.();
    };
    source.onmessage = (event) => {
      // A server that accepts and drops at once must not reset the pause: only a message does.
      failures = 0;
      const item = parse<T>(event.data);
      if (item !== undefined && options.onItem(item) === true) stop();
    };
    source.onerror = () => {
      source?.close();
      if (stopped) return;
      failures += 1;
      // The end of a stream and a loss look the same here; one silent retry tells them apart.
      if (failures > 1) options.onStale?.(true);
      cancelWait = wait(pauseAfter(failures), connect);
    };
  }

  connect();
  return stop;
}

/** The pause before the next try: doubled each time, bounded. */
export function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1));
}

function parse<T>(data: string): T | undefined {
  if (!data.trim()) return undefined;
  const value: unknown = JSON.parse(data);
  const empty = typeof value !== "object" || value === null || Object.keys(value).length === 0;
  return empty ? undefined : (value as T);
}

function waitByTimer(ms: number, then: () => void): () => void {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
}
