// @ts-check
import { parseArgs } from "node:util";
import { SoftrlError } from "softrl";

/**
 * The arguments of the command line.
 * @typedef {object} Request
 * @property {readonly string[]} names rows to measure; empty means all
 * @property {boolean} quick short blocks and small sizes, to check that everything runs; the figures are meaningless
 * @property {boolean} peers whether to measure the peers
 * @property {string | undefined} json the output file for the figures; bench/out/bench.json by default
 * @property {string | undefined} markdown a file in which the text between the two markers is replaced
 * @property {number} seed
 */

export const usage = `npm run bench -- [row ...] [--quick] [--no-peers] [--json file] [--markdown file] [--seed n]
Measures softrl and its peers alternately in one run. \`npm run bench:peers\` installs the peers.`;

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
    const remedy = `choose one of ${rowNames.join(", ")}`;
    throw new SoftrlError("bench", `unknown row ${JSON.stringify(unknown)}`, { remedy });
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
