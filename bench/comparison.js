// @ts-check
import { spread } from "./measure.js";

/**
 * A comparison of the table: a contestant of softrl against the fastest of one or several peers.
 * @typedef {object} Bar
 * @property {string} ours the contestant's name
 * @property {readonly string[]} peers the peers' names; those that were not measured are skipped
 * @property {"time" | "rate"} of the quantity of the ratio: ours over theirs
 * @property {number} [most] the target for a ratio of times
 * @property {number} [least] the target for a ratio of rates
 * @property {boolean} [quiet] whether the target applies only to an idle machine: with two threads on two cores, other
 *   programs would decide the outcome
 */

/**
 * @typedef {object} Comparison
 * @property {string} ours
 * @property {string} peer
 * @property {"time" | "rate"} of
 * @property {import("./measure.js").Spread} ratio the ratios of the two contestants' blocks in the same round
 * @property {number} best the ratio of the fastest block of each, which other programs disturb least
 * @property {string | null} bar the target
 * @property {boolean | null} met null if there is no target or the machine is too busy to tell
 */

/** A machine counts as idle up to this number of busy cores. */
const quietCores = 0.1;

/**
 * @param {readonly import("./measure.js").Measurement[]} measurements
 * @param {readonly Bar[]} bars
 * @param {number} busy cores that other programs used
 * @returns {Comparison[]} one for each bar whose contestants were measured
 */
export function compared(measurements, bars, busy) {
  const named = new Map(measurements.map((measurement) => [measurement.name, measurement]));
  return bars.flatMap(({ ours: name, peers, of, most, least, quiet }) => {
    const ours = named.get(name);
    const [peer] = peers
      .flatMap((peerName) => named.get(peerName) ?? [])
      .sort((a, b) => a.seconds.median - b.seconds.median);
    if (ours === undefined || peer === undefined) return [];
    const ratio = spread(
      ours.samples.map((seconds, i) =>
        of === "time" ? seconds / peer.samples[i] : peer.samples[i] / seconds,
      ),
    );
    const target = targetOf(ratio.median, most, least);
    const verdict = quiet && busy > quietCores ? { bar: `${target.bar}, idle`, met: null } : target;
    const fastest = ours.seconds.least / peer.seconds.least;
    const best = of === "time" ? fastest : 1 / fastest;
    return [{ ours: name, peer: peer.name, of, ratio, best, ...verdict }];
  });
}

/**
 * The target of a figure, and whether the figure meets it.
 * @param {number} figure
 * @param {number | undefined} most
 * @param {number | undefined} least
 * @returns {{ readonly bar: string | null, readonly met: boolean | null }}
 */
export function targetOf(figure, most, least) {
  if (most !== undefined) return { bar: `≤ ${most}`, met: figure <= most };
  if (least !== undefined) return { bar: `≥ ${least}`, met: figure >= least };
  return { bar: null, met: null };
}
