import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { build, transformWithEsbuild } from "vite";
import { root } from "../source-tree.js";

/** What a page loads that bundles one of the files beside this one. */
export interface Bundle {
  readonly code: string;
  /** Bytes after minification and gzip -9. */
  readonly gzipped: number;
  /** The modules that take most of it, largest first, as a table. */
  readonly table: string;
}

const tableRows = 25;

/** Bundles and minifies `test/bundle/<name>.ts` as Vite does by default. */
export async function bundle(name: string): Promise<Bundle> {
  const built = await build({
    configFile: false,
    logLevel: "error",
    root,
    resolve: { conditions: ["softrl-source"] },
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      rollupOptions: { input: join(root, "test/bundle", `${name}.ts`), preserveEntrySignatures: "strict" },
    },
  });
  if (!("output" in built)) throw new Error("bundle: expected one bundle that is not watched");
  const [entry, ...others] = built.output;
  if (others.length > 0) {
    throw new Error(`bundle: ${name} also loads ${others.map(({ fileName }) => fileName).join(", ")}`);
  }
  const modules = await Promise.all(
    Object.entries(entry.modules).map(async ([id, { code }]) => {
      const minified = await transformWithEsbuild(code ?? "", `${id}.js`, { minify: true });
      return { path: relative(root, id), bytes: minified.code.length, gzipped: gzip(minified.code) };
    }),
  );
  modules.sort((a, b) => b.gzipped - a.gzipped);
  const rows = modules
    .slice(0, tableRows)
    .map(({ path, bytes, gzipped }) => `${String(bytes).padStart(8)}${String(gzipped).padStart(9)}  ${path}`);
  const gzipped = gzip(entry.code);
  const total = `${String(entry.code.length).padStart(8)}${String(gzipped).padStart(9)}  in all`;
  return { code: entry.code, gzipped, table: [`${name}\n   bytes  gzipped`, total, ...rows].join("\n") };
}

function gzip(code: string): number {
  return gzipSync(code, { level: 9 }).length;
}
