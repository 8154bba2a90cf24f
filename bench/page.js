// @ts-check
/**
 * `npm run bench:page`: how fast the page's race trains, beside Node. Chromium opens the built page and trains CartPole with
 * A2C and soft Q-learning, each in its worker, as fast as it can, while both agents play on screen. Node's WebAssembly
 * executor continues the checkpoints that the page has saved: the same settings, seed and weights, each run in a thread of
 * its own, without a page. Blocks alternate, and a ratio compares two blocks of the same round.
 *
 * `node bench/page.js [rounds] [seconds of a block]`
 */

import { existsSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { meanInterval, RandomStreams } from "softrl";
import { findChromium, serveFolder, startChromium } from "../test/chromium.js";
import { busyCores, machine } from "./machine.js";
import { spread } from "./measure.js";

const [rounds = 8, blockSeconds = 3] = process.argv.slice(2).map(Number);
const racers = /** @type {const} */ (["a2c", "soft-q"]);
/** Up to so many cores that other programs use, a machine counts as idle: the ratio is judged there alone. */
const QUIET_CORES = 0.1;
/** The bars of the project. */
const LEAST_RATIO = 0.8;
const LEAST_FRAMES = 50;

/**
 * One block: the steps that each run takes in a second, and frames of the screen.
 * @typedef {object} Rates
 * @property {readonly number[]} steps
 * @property {number} [frames]
 */

const built = join(import.meta.dirname, "../packages/web/dist/page");

/** Opens the race in Chromium. */
async function openRace() {
  const executable = findChromium();
  if (executable === null) throw new Error("bench: no Chromium: install one, or set SOFTRL_CHROMIUM");
  if (!existsSync(join(built, "index.html"))) {
    throw new Error("bench: the page is not built: run npm run build -w packages/web");
  }
  const { server, address } = await serveFolder(built);
  const browser = await startChromium(executable);
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  await page.goto(`${address}?race.speed=Infinity`);
  await page.locator("#race .panels").scrollIntoViewIfNeeded();
  /** @param {string} name */
  const part = (name) => page.locator(`#race [data-part="${name}"]`);
  /** @param {RegExp} pattern */
  const noted = async (pattern) => {
    for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((go) => setTimeout(go, 50))) {
      if (pattern.test((await part("note").textContent()) ?? "")) return;
    }
    throw new Error(`bench: the page does not report ${pattern}, but: ${await part("note").textContent()}`);
  };
  return {
    /**
     * Trains for some seconds. A rate is counted between two windows of the race, since steps are reported at their ends.
     * @param {number} seconds
     * @returns {Promise<Rates>}
     */
    async block(seconds) {
      await part("go").click();
      const { frames, rate } = await page.evaluate(
        (milliseconds) =>
          new Promise((/** @type {(rates: { frames: number, rate: number }) => void} */ resolve) => {
            const race = /** @type {HTMLElement} */ (document.getElementById("race"));
            let [frames, began, step] = [0, 0, Number(race.dataset.step)];
            /** @type {[number, number][]} */
            const windows = [];
            /** @param {number} now */
            const frame = (now) => {
              if (began === 0) began = now;
              else frames++;
              if (Number(race.dataset.step) !== step) {
                step = Number(race.dataset.step);
                windows.push([now, step]);
              }
              if (now - began < milliseconds) {
                requestAnimationFrame(frame);
                return;
              }
              const [[from, first], [to, last]] = [windows[0], windows[windows.length - 1]];
              resolve({
                frames: (1000 * frames) / (now - began),
                rate: (1000 * (last - first)) / (to - from),
              });
            };
            requestAnimationFrame(frame);
          }),
        1000 * seconds,
      );
      await part("go").click();
      await noted(/^Paused after/);
      return { steps: [rate, rate], frames };
    },
    /** The checkpoints of both agents, by the page's own control. */
    async saved() {
      await part("save").click();
      await noted(/^Saved/);
      return page.evaluate(
        () =>
          new Promise((/** @type {(saved: Record<string, number[]>) => void} */ resolve) => {
            const opening = indexedDB.open("softrl-race", 1);
            opening.onsuccess = () => {
              const found = opening.result.transaction("races").objectStore("races").get("CartPole-v1");
              found.onsuccess = () => {
                const { a2c, "soft-q": softQ } = found.result.checkpoints;
                resolve({ a2c: Array.from(a2c), "soft-q": Array.from(softQ) });
              };
            };
          }),
      );
    },
    version: browser.version(),
    async close() {
      await browser.close();
      server.close();
    },
  };
}

/**
 * Continues the checkpoints in Node, each in a thread.
 * @param {Readonly<Record<string, number[]>>} checkpoints
 */
function openThreads(checkpoints) {
  const threads = racers.map(
    (racer) =>
      new Worker(new URL("page-in-node.js", import.meta.url), {
        workerData: { racer, checkpoint: Uint8Array.from(checkpoints[racer]) },
      }),
  );
  return {
    /**
     * @param {number} seconds
     * @returns {Promise<Rates>}
     */
    async block(seconds) {
      const steps = threads.map((thread) =>
        new Promise((/** @type {(rate: number) => void} */ resolve, reject) => {
          thread.once("message", resolve);
          thread.once("error", reject);
          thread.postMessage(seconds);
        }).finally(() => thread.removeAllListeners("error")),
      );
      return { steps: await Promise.all(steps) };
    },
    close: () => Promise.all(threads.map((thread) => thread.terminate())),
  };
}

/** @param {Rates} rates */
const slower = ({ steps }) => Math.min(...steps);
/** @param {readonly number[]} values @param {number} digits */
const shown = (values, digits) => {
  const { median, least, most } = spread(values);
  const [middle, low, high] = [median, least, most].map((value) =>
    value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits }),
  );
  return `${middle} (${low} to ${high})`;
};

// Chromium's threads have priority 0, whatever they inherit: those of Node, which inherit this one, need the same.
setPriority(0);
const { processor, cores, node, commit } = machine();
const busy = await busyCores(1000);
const race = await openRace();
/** @type {ReturnType<typeof openThreads> | null} */
let threads = null;
try {
  // Until the compilers are done with the code, and the agents with their shortest episodes.
  await race.block(blockSeconds);
  threads = openThreads(await race.saved());
  await threads.block(blockSeconds);
  /** @type {{ page: Rates, node: Rates }[]} */
  const blocks = [];
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? [race, threads] : [threads, race];
    const [first, second] = [await order[0].block(blockSeconds), await order[1].block(blockSeconds)];
    blocks.push(round % 2 === 0 ? { page: first, node: second } : { page: second, node: first });
  }
  // The race takes its agents' steps together: it can be no faster than the slower of the two is.
  const ratios = blocks.map(({ page, node }) => slower(page) / slower(node));
  const random = new RandomStreams(0).stream("page");
  const { estimate, low, high } = meanInterval(ratios, { random, resamples: 2000 });
  const frames = blocks.map(({ page }) => page.frames ?? 0);
  console.log(`Chromium ${race.version}, Node ${node}, ${processor}, ${cores} cores, commit ${commit}`);
  console.log(`other programs used ${busy.toFixed(2)} cores; ${rounds} rounds of ${blockSeconds} s`);
  console.log("CartPole-v1, seed 1, both algorithms at once; median (least to most)");
  console.log(
    `page, steps/s of each agent  ${shown(
      blocks.map(({ page }) => slower(page)),
      0,
    )}`,
  );
  racers.forEach((racer, i) => {
    const rates = blocks.map(({ node }) => node.steps[i]);
    console.log(`Node, steps/s of ${racer.padEnd(12)}${shown(rates, 0)}`);
  });
  const met = (/** @type {boolean} */ is) =>
    busy > QUIET_CORES ? "not judged while other programs run" : is ? "met" : "not met";
  console.log(
    `page / Node                  ${estimate.toFixed(3)}, 95 % interval ${low.toFixed(3)} to ${high.toFixed(3)} ` +
      `(target ≥ ${LEAST_RATIO}: ${met(estimate >= LEAST_RATIO)})`,
  );
  const middle = spread(frames).median;
  console.log(
    `frames a second              ${shown(frames, 1)} (target ≥ ${LEAST_FRAMES}: ${met(middle >= LEAST_FRAMES)})`,
  );
} finally {
  await threads?.close();
  await race.close();
}
