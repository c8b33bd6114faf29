import "@fontsource-variable/inter";
import "@fontsource-variable/jetbrains-mono";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import { QueryClient, VueQueryPlugin } from "@tanstack/vue-query";
import { createPinia } from "pinia";
import { createApp, watch } from "vue";
import App from "./App.vue";
import { onSignedOut } from "./api/client";
import { ApiError } from "./api/errors";
import { createMessages, speak } from "./i18n";
import { createPageRouter } from "./router";
import { signedOutRoute } from "./router/signedOut";
import { useSettings } from "./stores/settings";

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

const messages = createMessages();
const pinia = createPinia();
const app = createApp(App).use(pinia).use(VueQueryPlugin, { queryClient: queries }).use(messages).use(router);
const settings = useSettings(pinia);
// The first page is in the reader's language at once; a later choice changes it in place.
await speak(messages, settings.language);
watch(() => settings.language, (language) => speak(messages, language));
app.mount("#app");
