import { place } from "./drawn.js";

/** An axis: from numbers to coordinates and back. */
export interface Scale {
  readonly at: (value: number) => number;
  readonly of: (coordinate: number) => number;
  readonly ticks: readonly number[];
}

/** A linear axis with the given ticks. */
export function linearScale(
  domain: readonly [number, number],
  range: readonly [number, number],
  ticks: readonly number[] = roundTicks(domain),
): Scale {
  const slope = (range[1] - range[0]) / (domain[1] - domain[0]);
  return {
    at: (value) => place(range[0] + (value - domain[0]) * slope),
    of: (coordinate) => domain[0] + (coordinate - range[0]) / slope,
    ticks,
  };
}

/** A logarithmic axis with a tick at each power of ten, or at every `every`-th. */
export function logScale(
  domain: readonly [number, number],
  range: readonly [number, number],
  every = 1,
): Scale {
  const inner = linearScale([Math.log10(domain[0]), Math.log10(domain[1])], range, []);
  const ticks: number[] = [];
  for (
    let power = Math.ceil(Math.log10(domain[0]) - 1e-9);
    10 ** power <= domain[1] * 1.001;
    power += every
  ) {
    ticks.push(10 ** power);
  }
  return { at: (value) => inner.at(Math.log10(value)), of: (x) => 10 ** inner.of(x), ticks };
}

/** About five round numbers in a domain. */
export function roundTicks([low, high]: readonly [number, number]): readonly number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step =
    [1, 2, 2.5, 5, 10].map((times) => times * power).find((size) => size >= rough * 0.999) ?? rough;
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + step * 1e-9; tick += step) {
    ticks.push(Number(tick.toPrecision(12)));
  }
  return ticks;
}

/** The largest y of some curves, at least `least`; curves of any length. */
export function highestOf(
  curves: readonly (readonly (readonly [x: number, y: number])[])[],
  least: number,
): number {
  let highest = least;
  // Not Math.max(...): a call takes about a hundred thousand arguments.
  for (const curve of curves) for (const [, y] of curve) highest = Math.max(highest, y);
  return highest;
}
