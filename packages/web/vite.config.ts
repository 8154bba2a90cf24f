import { join } from "node:path";
import { defaultClientConditions, defineConfig } from "vite";
import { evidenceTasks } from "./evidence.js";
import { typesetFormulas } from "./typeset.js";

/**
 * What the built page may load: files of its own, and WebAssembly, which it trains with. No eval, no inline script or style,
 * no other host.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** A module that the page imports when its last figure is near: the build makes it. */
const EVIDENCE = "virtual:evidence";

/** Links to the guides, which only `npm run site` builds beside the page. */
const SITE_LINKS = /\s*<nav class="site"[\s\S]*?<\/nav>/;

export default defineConfig(({ command, mode }) => ({
  root: import.meta.dirname,
  // Relative, so that the page works in any folder of any host.
  base: "./",
  resolve: { conditions: ["softrl-source", ...defaultClientConditions] },
  build: {
    outDir: join(import.meta.dirname, "dist/page"),
    target: "es2022",
    // Small files stay files: the policy allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  worker: { format: "es" },
  plugins: [
    {
      name: "evidence",
      resolveId: (id: string) => (id === EVIDENCE ? `\0${EVIDENCE}` : null),
      load(id: string) {
        if (id !== `\0${EVIDENCE}`) return null;
        const tasks = evidenceTasks(join(import.meta.dirname, "../../experiments"));
        return `export const tasks = ${JSON.stringify(tasks)};`;
      },
    },
    {
      name: "page",
      transformIndexHtml: {
        order: "pre",
        handler: (html: string) => ({
          html: typesetFormulas(mode === "site" ? html : html.replace(SITE_LINKS, "")),
          // The development server injects scripts and styles of its own.
          tags:
            command === "build"
              ? [
                  {
                    tag: "meta",
                    attrs: { "http-equiv": "Content-Security-Policy", content: policy },
                    injectTo: "head-prepend" as const,
                  },
                ]
              : [],
        }),
      },
    },
    {
      name: "blocking",
      apply: "build",
      transformIndexHtml: {
        order: "post",
        // Vite writes the script's tag anew, without `blocking`: the page would be painted before its script fills it.
        handler: (html: string) =>
          html.replace('<script type="module"', '<script type="module" blocking="render"'),
      },
    },
  ],
}));
