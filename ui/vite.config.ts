import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

const server = process.env.PENSTOCK_SERVER ?? "http://localhost:8080";

// The server answers /ui/ with this build; in development the same calls go to a running server.
export default defineConfig({
  base: "/ui/",
  plugins: [vue()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_I18N_LEGACY_API__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  server: { port: 5173, fs: { allow: [".", "../docs"] }, proxy: { "/api": server, "/login": server, "/logout": server } },
  worker: { format: "es" },
  // Monaco is one large chunk by nature; it is loaded only where source is shown.
  build: { target: "es2022", chunkSizeWarningLimit: 5000, reportCompressedSize: false },
  // Files share their environment: making one for each takes five times as long as all tests.
  test: { environment: "happy-dom", isolate: false, include: ["tests/**/*.test.ts"] },
});
