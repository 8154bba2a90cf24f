import { join } from "node:path";
import { type Served, serveFolder } from "../../../../test/chromium.js";

/** The built page: `npm run build -w packages/web` writes it. */
export const built = join(import.meta.dirname, "../../dist/page");

/** Serves the built page in a folder of its own, as any host may: `http://127.0.0.1:PORT/some/folder/`. */
export const servePage = (): Promise<Served> => serveFolder(built, { under: "/some/folder/" });
