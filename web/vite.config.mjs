import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// The client is used from its sources: the page needs what the repository has, not what npm has.
const CLIENT = fileURLToPath(new URL("../clients/typescript/src/index.ts", import.meta.url));
// `npm run dev` serves the page and hands calls to a running server.
const SERVER = process.env.MEETRA_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  resolve: { alias: { "meetra-client": CLIENT } },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "dist",
    // What the Content-Security-Policy refuses: files as data: URLs.
    assetsInlineLimit: 0,
    // Of the packages that the page is made of, which pass on with it.
    license: { fileName: "licences.md" },
    modulePreload: { polyfill: false },
    target: "es2022",
    // Browsers that know light-dark(), which the theme is made of.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
  },
  server: { proxy: { "^/(api|single-feature-api|speakers-balance)": { target: SERVER, ws: true } } },
});
