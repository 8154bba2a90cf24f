// @ts-check
/**
 * For BENCHMARKS.md: the Nature CNN step in `wasm-relaxed` against `wasm`, in this Node.js and in Chromium: `node bench/relaxed.js`.
 *
 * In Chromium the same module runs in a page. An engine without relaxed SIMD, as Node.js 20, is left out with a line.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { relaxedArithmetic } from "softrl";
import { serveLibrary, startChromium } from "../test/chromium.js";
import { relaxedStep } from "./relaxed-step.js";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    chromium: { type: "string", default: process.env.SOFTRL_CHROMIUM ?? "/usr/bin/chromium" },
    json: { type: "boolean", default: false },
  },
});
const plan = values.quick ? { blockSeconds: 0.005, rounds: 3 } : { blockSeconds: 0.15, rounds: 25 };

/** @returns {Promise<{ name: string, found: Awaited<ReturnType<typeof relaxedStep>> }>} */
async function inChromium() {
  const { address, server } = await serveLibrary("bench");
  const browser = await startChromium(values.chromium);
  try {
    const tab = await browser.newPage();
    await tab.goto(address);
    /** @type {Awaited<ReturnType<typeof relaxedStep>>} */
    const found = await tab.evaluate(
      `import("/bench/relaxed-step.js").then(({ relaxedStep }) => relaxedStep(${JSON.stringify(plan)}))`,
    );
    return { name: `Chromium ${browser.version()}`, found };
  } finally {
    await browser.close();
    server.close();
  }
}

const engines = [];
if ((await relaxedArithmetic()) === null) {
  console.error(`bench: not measured: Node.js ${process.versions.node} has no relaxed SIMD`);
} else engines.push({ name: `Node.js ${process.versions.node}`, found: await relaxedStep(plan) });
if (existsSync(values.chromium)) engines.push(await inChromium());
else
  console.error(`bench: not measured: there is no Chromium at ${values.chromium}; name one with --chromium`);

if (values.json) console.log(JSON.stringify(engines));
else
  for (const { name, found } of engines) {
    console.log(`${name}, ${found.arithmetic}`);
    for (const { name: contestant, seconds } of found.measurements)
      console.log(`  ${contestant.padEnd(32)} ${(seconds.median * 1000).toFixed(1)} ms`);
    for (const { ours, peer, ratio, bar, met } of found.comparisons) {
      const [median, low, high] = [ratio.median, ratio.low, ratio.high].map((part) => part.toFixed(3));
      console.log(
        `  ${ours} / ${peer}: ${median} (${low}..${high}), target ${bar}: ${met ? "met" : "not met"}`,
      );
    }
  }
