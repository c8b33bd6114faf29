import "@fontsource-variable/inter";
import "@fontsource-variable/jetbrains-mono";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import { VueQueryPlugin } from "@tanstack/vue-query";
import { createPinia } from "pinia";
import { createApp, watch } from "vue";
import App from "./App.vue";
import { onSignedOut } from "./api/client";
import { ServerState } from "./api/queries";
import { createMessages, speak } from "./i18n";
import { createPageRouter } from "./router";
import { signedOutRoute } from "./router/signedOut";
import { useSettings } from "./stores/settings";

const queries = new ServerState();
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
