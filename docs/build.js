// Writes the tables of docs/settings.md and docs/scale.md, and the results in README.md: `npm run docs`.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withResults } from "./results-tables.js";
import { withCosts } from "./scale.js";
import { withTables } from "./settings-tables.js";

const settings = join(import.meta.dirname, "settings.md");
writeFileSync(settings, withTables(readFileSync(settings, "utf8")));
const readme = join(import.meta.dirname, "../README.md");
writeFileSync(readme, await withResults(readFileSync(readme, "utf8")));
const scale = join(import.meta.dirname, "scale.md");
writeFileSync(scale, await withCosts(readFileSync(scale, "utf8")));
