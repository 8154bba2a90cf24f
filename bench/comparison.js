// @ts-check
import { spread } from "./measure.js";

/**
 * A bar of the table: ours against one or several peers, of which the fastest counts.
 * @typedef {object} Bar
 * @property {string} ours a contestant's name
 * @property {readonly string[]} peers contestants' names; those that were not measured are left out
 * @property {"time" | "rate"} of what the ratio is of: ours over theirs
 * @property {number} [most] the bar for a time
 * @property {number} [least] the bar for a rate
 * @property {boolean} [quiet] whether the bar is held on a quiet machine alone: with two threads on two cores, whoever
 *   else works decides the outcome
 */

/**
 * @typedef {object} Comparison
 * @property {string} ours
 * @property {string} peer
 * @property {"time" | "rate"} of
 * @property {import("./measure.js").Spread} ratio of the rounds, each contestant against the other in the same round
 * @property {number} best the ratio of the best rounds of each: what others' work on the machine disturbs least
 * @property {string | null} bar
 * @property {boolean | null} met null where there is no bar, or the machine is too busy to tell
 */

/** Up to so many busy cores a machine is quiet. */
const quietCores = 0.1;

/**
 * @param {readonly import("./measure.js").Measurement[]} measurements
 * @param {readonly Bar[]} bars
 * @param {number} busy cores that others kept busy
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
    const judgement = judged(ratio.median, most, least);
    const verdict = quiet && busy > quietCores ? { bar: `${judgement.bar}, quiet`, met: null } : judgement;
    const fastest = ours.seconds.least / peer.seconds.least;
    const best = of === "time" ? fastest : 1 / fastest;
    return [{ ours: name, peer: peer.name, of, ratio, best, ...verdict }];
  });
}

/**
 * Whether a figure meets its bar.
 * @param {number} figure
 * @param {number | undefined} most
 * @param {number | undefined} least
 * @returns {{ readonly bar: string | null, readonly met: boolean | null }}
 */
export function judged(figure, most, least) {
  if (most !== undefined) return { bar: `≤ ${most}`, met: figure <= most };
  if (least !== undefined) return { bar: `≥ ${least}`, met: figure >= least };
  return { bar: null, met: null };
}
