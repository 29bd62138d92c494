import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => {
  const { API: stack = "http://127.0.0.1:8000" } = loadEnv(mode, ".", "API");
  return {
    base: "./",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    server: { proxy: { "/video": stack, "/config.json": stack } },
    build: {
      target: "es2022",
      // The page is served with a Content-Security-Policy that allows no inline script and no data: URL.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  };
});
