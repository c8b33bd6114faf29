import { QueryClient } from "@tanstack/vue-query";
import { toValue } from "vue";
import { ApiError } from "./errors";

/**
 * What the server said, kept while it is fresh.
 * A first answer that is on its way while something changes may be from before the change: it is asked for once more.
 */
export class ServerState extends QueryClient {
  constructor() {
    super({
      defaultOptions: {
        queries: {
          staleTime: 2_000,
          // A refusal stays a refusal; only a server that did not answer is asked again.
          retry: (count, error) => count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
        },
      },
    });
  }

  override async invalidateQueries(...[filters, options]: Parameters<QueryClient["invalidateQueries"]>): Promise<void> {
    const under = this.getQueryCache().findAll({ ...toValue(filters), fetchStatus: "fetching" }).filter((query) => query.state.data === undefined);
    await super.invalidateQueries(filters, options);
    if (under.length > 0) await super.invalidateQueries({ predicate: (query) => under.includes(query) }, options);
  }
}
