import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { root } from "../source-tree.js";

const page = `<!doctype html><title>softrl</title>
<script type="importmap">{ "imports": { "softrl": "/packages/core/dist/index.js" } }</script>`;

/** Serves core's compiled modules and computation.js to a page that imports `softrl` by name, without a bundler. */
export async function serveLibrary(): Promise<{ readonly address: string; readonly server: Server }> {
  const server = createServer(({ url = "/" }, response) => {
    if (url === "/") {
      response.writeHead(200, { "content-type": "text/html" }).end(page);
      return;
    }
    const file = join(root, url);
    const served = /^\/(packages\/core\/dist\/[\w/-]+|test\/runtimes\/computation)\.js$/.test(url);
    if (!served || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": "text/javascript" }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  if (at === null || typeof at === "string") throw new Error("the server has no port");
  return { address: `http://127.0.0.1:${at.port}/`, server };
}
