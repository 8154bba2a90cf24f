// @ts-check
import { drawFigure } from "@softrl/cli";
import { largest, smallest } from "softrl";

/**
 * Plots time against size on logarithmic axes, with a line of slope one for comparison with linear growth.
 * @param {readonly import("./scaling.js").Growth[]} growths
 * @param {{ readonly title: string, readonly size: string }} text
 * @returns {Promise<string>} an SVG picture
 */
export function scalingPlot(growths, { title, size }) {
  const series = growths.map(({ name, points }) => ({
    name,
    kind: /** @type {const} */ ("line"),
    points: points.map(({ size, seconds }) => /** @type {const} */ ([size, seconds.least * 1000])),
  }));
  const points = series.flatMap(({ points }) => points);
  const sizes = points.map(([size]) => size);
  const times = points.map(([, milliseconds]) => milliseconds);
  const [lowest, highest] = [smallest(times), largest(times)];
  const [first, last] = [smallest(sizes), largest(sizes)];
  const factor = Math.min(last / first, highest / lowest);
  return drawFigure({
    title,
    subtitle: "fastest block of each, one thread; dashed: proportional to the size",
    x: { label: size, scale: "log" },
    y: { label: "milliseconds", scale: "log" },
    series: [
      ...series,
      {
        name: "slope 1",
        kind: "reference",
        points: [
          [first, lowest],
          [first * factor, lowest * factor],
        ],
      },
    ],
  });
}
