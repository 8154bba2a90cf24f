// Writes the tables of docs/settings.md: `npm run docs`.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withTables } from "./settings-tables.js";

const path = join(import.meta.dirname, "settings.md");
writeFileSync(path, withTables(readFileSync(path, "utf8")));
