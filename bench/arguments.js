// @ts-check
import { parseArgs } from "node:util";
import { SoftrlError } from "softrl";

/**
 * What the command line asks for.
 * @typedef {object} Request
 * @property {readonly string[]} names rows to measure; none means all
 * @property {boolean} quick short blocks and small sizes: shows that everything runs, measures nothing well
 * @property {boolean} peers whether to look for the peers at all
 * @property {string | undefined} json where the figures go; bench/out/bench.json if nobody says
 * @property {string | undefined} markdown a file whose table between the two markers is replaced
 * @property {number} seed
 */

export const usage = `npm run bench -- [row ...] [--quick] [--no-peers] [--json file] [--markdown file] [--seed n]
Measures softrl beside its peers, alternating in one run. \`npm run bench:peers\` installs the peers.`;

/**
 * @param {readonly string[]} words
 * @param {readonly string[]} rowNames
 * @returns {Request}
 * @throws a SoftrlError or Node's own for words that are no request
 */
export function readArguments(words, rowNames) {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      "no-peers": { type: "boolean", default: false },
      json: { type: "string" },
      markdown: { type: "string" },
      seed: { type: "string", default: "1" },
    },
  });
  const unknown = positionals.find((name) => !rowNames.includes(name));
  if (unknown !== undefined) {
    const remedy = `there are ${rowNames.join(", ")}`;
    throw new SoftrlError("bench", `no row is named ${JSON.stringify(unknown)}`, { remedy });
  }
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new SoftrlError("bench: --seed", "invalid seed", {
      expected: "a non-negative integer",
      got: JSON.stringify(values.seed),
    });
  }
  return {
    names: positionals,
    quick: values.quick,
    peers: !values["no-peers"],
    json: values.json,
    markdown: values.markdown,
    seed,
  };
}
