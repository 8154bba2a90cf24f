// @ts-check

/**
 * One implementation of a row's work.
 * @typedef {object} Contestant
 * @property {string} name
 * @property {(iterations: number) => Promise<Block> | Block} run does the work this many times and measures the time
 */

/**
 * One measured block of work.
 * @typedef {object} Block
 * @property {number} seconds
 * @property {number} iterations the iterations actually done; a peer that works in larger units rounds them
 * @property {Readonly<Record<string, number>>} [figures] other results of the block
 */

/**
 * @typedef {object} Spread
 * @property {number} median
 * @property {number} low the lower quartile
 * @property {number} high the upper quartile
 * @property {number} least
 * @property {number} most
 */

/**
 * @typedef {object} Measurement
 * @property {string} name
 * @property {readonly number[]} samples seconds per iteration, one sample per round
 * @property {Spread} seconds
 * @property {number} iterations iterations in one block
 * @property {Readonly<Record<string, number>>} figures the figures of the last block
 */

/**
 * Measures the contestants alternately (A B A B), so that a slower machine slows down all of them. Before that, it
 * warms each up and determines how many iterations take `blockSeconds`.
 *
 * @param {readonly Contestant[]} contestants
 * @param {{ readonly blockSeconds: number, readonly rounds: number }} plan
 * @returns {Promise<Measurement[]>}
 */
export async function measureAlternating(contestants, { blockSeconds, rounds }) {
  const entries = [];
  for (const contestant of contestants) {
    let iterations = 1;
    for (;;) {
      const block = await contestant.run(iterations);
      if (block.seconds >= blockSeconds / 3) {
        const fitting = (block.iterations * blockSeconds) / block.seconds;
        entries.push({ contestant, iterations: Math.max(1, Math.round(fitting)), samples: [], last: block });
        break;
      }
      iterations = 2 * Math.max(iterations, block.iterations);
    }
  }
  /** @type {{ contestant: Contestant, iterations: number, samples: number[], last: Block }[]} */
  const runs = entries;
  for (let round = 0; round < rounds; round++) {
    for (const run of runs) {
      run.last = await run.contestant.run(run.iterations);
      run.samples.push(run.last.seconds / run.last.iterations);
    }
  }
  return runs.map(({ contestant, iterations, samples, last }) => ({
    name: contestant.name,
    samples,
    seconds: spread(samples),
    iterations,
    figures: last.figures ?? {},
  }));
}

/**
 * Median, quartiles and extremes.
 * @param {readonly number[]} samples at least one
 * @returns {Spread}
 */
export function spread(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  /** @param {number} part */
  const quantile = (part) => {
    const at = part * (sorted.length - 1);
    const below = Math.floor(at);
    const above = Math.ceil(at);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  };
  return {
    median: quantile(0.5),
    low: quantile(0.25),
    high: quantile(0.75),
    least: sorted[0],
    most: sorted[sorted.length - 1],
  };
}

/**
 * Measures the time of synchronous work.
 * @param {(iterations: number) => void} work
 * @returns {(iterations: number) => Block}
 */
export function timed(work) {
  return (iterations) => {
    const began = performance.now();
    work(iterations);
    return { seconds: (performance.now() - began) / 1000, iterations };
  };
}
