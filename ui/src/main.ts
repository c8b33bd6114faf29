import "@fontsource-variable/inter";
import "@fontsource-variable/jetbrains-mono";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import { QueryClient, VueQueryPlugin } from "@tanstack/vue-query";
import { createPinia } from "pinia";
import { createApp } from "vue";
import App from "./App.vue";
import { onSignedOut } from "./api/client";
import { ApiError } from "./api/errors";
import { createMessages } from "./i18n";
import { createPageRouter } from "./router";
import { signedOutRoute } from "./router/signedOut";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // A refusal stays a refusal; only a server that did not answer is asked again.
      retry: (count, error) => count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
    },
  },
});
const router = createPageRouter(queries);

onSignedOut(() => {
  const login = signedOutRoute(router.currentRoute.value);
  if (login) void router.replace(login);
});

createApp(App).use(createPinia()).use(VueQueryPlugin, { queryClient: queries }).use(createMessages()).use(router).mount("#app");
