// @ts-check
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkpoints } from "./checkpoints.js";
import { commandLines } from "./command-lines.js";
import { CommandServer, executeAlone } from "./commands.js";
import { folders } from "./folders.js";
import { hostilePython } from "./hostile-python.js";
import { kills } from "./kills.js";
import { limits } from "./limits.js";
import { pairs } from "./pairs.js";

/**
 * What a case may use.
 * @typedef {object} CaseContext
 * @property {string} path where its folder is to be
 * @property {string} workspace where kinds keep what all cases share
 * @property {import("./commands.js").Execute} execute runs a command, in this session's server or in a process of its own
 * @property {boolean} gymnasium whether real Gymnasium environments work here
 * @property {ReadonlySet<string>} commands the names of the commands
 * @property {ReadonlySet<string>} trusts the commands that have an option --trust
 */

/**
 * What a case did, and what was wrong; nothing where it held.
 * @typedef {object} CaseResult
 * @property {string} about
 * @property {readonly string[]} faults
 * @property {string} [tally] what it comes under in the counts at the end
 */

/**
 * A kind of case: the seed decides everything about one.
 * @typedef {object} Kind
 * @property {string} name
 * @property {string} about
 * @property {boolean} [inServer] whether its commands may share a process: what fails there is repeated without
 * @property {(seed: number, context: CaseContext) => Promise<CaseResult>} run
 */

/** @type {readonly Kind[]} */
const kinds = [kills, checkpoints, folders, commandLines, hostilePython, pairs, limits];

/** Cases of each kind, by the size of the session. @type {Readonly<Record<string, Readonly<Record<string, number>>>>} */
const sizes = {
  small: { kills: 8, checkpoints: 40, folders: 20, "command-lines": 60, python: 8, pairs: 3, limits: 4 },
  full: {
    kills: 300,
    checkpoints: 1000,
    folders: 300,
    "command-lines": 1000,
    python: 200,
    pairs: 50,
    limits: 60,
  },
};

const usage = `npm run break -- [--kind name ...] [--size small|full] [--seed n] [--count n] [--jobs n] [--keep]
Tries to break the built softrl command; the seed decides everything about a case.
${kinds.map(({ name, about }) => `  ${name.padEnd(14)}${about}`).join("\n")}
  --seed n   the seed of the first case (default: 1)
  --count n  cases of each kind (default: those of the size)
  --jobs n   cases at once (default: 1)
  --keep     keep the folders of failed cases`;

async function main() {
  const { values } = parseArgs({
    options: {
      kind: { type: "string", multiple: true, default: [] },
      size: { type: "string", default: "full" },
      seed: { type: "string", default: "1" },
      count: { type: "string" },
      jobs: { type: "string", default: "1" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { kind: names, size, keep } = values;
  const counts = sizes[size];
  const unknown = names.find((name) => !kinds.some((kind) => kind.name === name));
  const numbers = [values.seed, values.count ?? "1", values.jobs].map(Number);
  const isRequest =
    counts !== undefined && unknown === undefined && numbers.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (values.help || !isRequest) {
    console.log(usage);
    return values.help ? 0 : 2;
  }
  const [firstSeed, , jobs] = numbers;
  const workspace = mkdtempSync(join(tmpdir(), "softrl-break-"));
  const servers = Array.from({ length: Math.max(1, jobs) }, () => new CommandServer());
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  const tallies = [];
  let failed = 0;
  try {
    const abilities = await findAbilities(servers[0], workspace);
    for (const kind of kinds.filter(({ name }) => names.length === 0 || names.includes(name))) {
      const count = values.count === undefined ? counts[kind.name] : numbers[1];
      const began = performance.now();
      /** @type {Map<string, number>} */
      const tally = new Map();
      const bad = await runCases(kind, firstSeed, count, servers, { workspace, keep, tally, ...abilities });
      failed += bad;
      const parts = [...tally].map(([name, cases]) => `${cases} ${name}`);
      if (parts.length > 0) tallies.push(`${kind.name}: ${parts.join("; ")}`);
      const seconds = ((performance.now() - began) / 1000).toFixed(0);
      rows.push([kind.name, ...[count, count - bad, bad].map(String), seconds]);
    }
  } finally {
    for (const server of servers) server.close();
    if (!keep || failed === 0) rmSync(workspace, { recursive: true, force: true });
  }
  console.log(`\n${tableText([["kind", "cases", "held", "failed", "seconds"], ...rows])}`);
  if (tallies.length > 0) console.log(`\n${tallies.join("\n")}`);
  if (keep && failed > 0) console.log(`the folders of failed cases: ${workspace}`);
  return failed === 0 ? 0 : 1;
}

/**
 * Runs the cases of a kind; returns how many failed.
 * @param {Kind} kind
 * @param {number} firstSeed
 * @param {number} count
 * @param {readonly CommandServer[]} servers
 * @param {Omit<CaseContext, "path" | "execute"> & { readonly keep: boolean, readonly tally: Map<string, number> }} shared
 */
async function runCases(kind, firstSeed, count, servers, { keep, tally, ...shared }) {
  let next = 0;
  let failed = 0;
  const lane = async (/** @type {CommandServer} */ server) => {
    while (next < count) {
      const seed = firstSeed + next++;
      const path = join(shared.workspace, `${kind.name}-${seed}`);
      const attempt = async (/** @type {CaseContext["execute"]} */ execute) => {
        rmSync(path, { recursive: true, force: true });
        mkdirSync(path);
        try {
          return await kind.run(seed, { ...shared, path, execute });
        } catch (error) {
          // A base run that fails, for instance.
          const text = error instanceof Error ? error.stack : String(error);
          return { about: "the breaker itself failed", faults: [String(text)] };
        }
      };
      let result = await attempt(server.execute);
      // A process that runs many commands may differ from one that runs a single one.
      if (kind.inServer === true && result.faults.length > 0) result = await attempt(executeAlone);
      const { about, faults, tally: under } = result;
      if (under !== undefined) tally.set(under, (tally.get(under) ?? 0) + 1);
      console.log(`${kind.name} --seed ${seed}  ${faults.length === 0 ? "held" : "FAILED"}  ${about}`);
      for (const fault of faults) console.log(`    ${fault}`);
      if (faults.length > 0) failed++;
      if (faults.length === 0 || !keep) rmSync(path, { recursive: true, force: true });
    }
  };
  await Promise.all(servers.map(lane));
  return failed;
}

/** What the command can do here. @param {CommandServer} server @param {string} cwd */
async function findAbilities(server, cwd) {
  const help = await server.execute(["--help"], { cwd });
  const commands = new Set(Array.from(help.stdout.matchAll(/^ {2}([a-z]+)\b/gm), ([, name]) => name));
  /** @type {Set<string>} */
  const trusts = new Set();
  for (const command of commands) {
    const { stdout } = await server.execute([command, "--help"], { cwd });
    if (stdout.includes("--trust")) trusts.add(command);
  }
  const doctor = await server.execute(["doctor", "--json"], { cwd });
  return { commands, trusts, gymnasium: JSON.parse(doctor.stdout).gymnasium.works === true };
}

/** @param {readonly (readonly string[])[]} rows */
function tableText(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (/** @type {readonly string[]} */ row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join("  ");
  return rows.map(line).join("\n");
}

process.exitCode = await main();
