// @ts-check

const width = 760;
const height = 520;
const margin = { left: 64, right: 230, top: 36, bottom: 48 };
const colours = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#e69f00",
  "#56b4e9",
  "#000000",
  "#8c6d31",
  "#7b4173",
];

/**
 * Time against size on logarithmic axes, with a thin line of slope one: linear work runs beside it.
 * @param {readonly import("./scaling.js").Growth[]} growths
 * @returns {string} an SVG picture
 */
export function scalingPlot(growths) {
  const points = growths.flatMap((growth) => growth.points);
  const sizes = points.map(({ size }) => Math.log2(size));
  const times = points.map(({ seconds }) => Math.log10(seconds.least * 1000));
  const x = axis(Math.min(...sizes), Math.max(...sizes), margin.left, width - margin.right);
  const lowest = Math.floor(Math.min(...times));
  const highest = Math.ceil(Math.max(...times));
  const y = axis(lowest, highest, height - margin.bottom, margin.top);

  /** @type {string[]} */
  const parts = [];
  for (let power = Math.min(...sizes); power <= Math.max(...sizes); power++) {
    parts.push(line(x(power), margin.top, x(power), height - margin.bottom, "#ddd"));
    parts.push(text(x(power), height - margin.bottom + 18, String(2 ** power), "middle"));
  }
  for (let power = lowest; power <= highest; power++) {
    parts.push(line(margin.left, y(power), width - margin.right, y(power), "#ddd"));
    const label = power < 0 ? (10 ** power).toFixed(-power) : String(10 ** power);
    parts.push(text(margin.left - 8, y(power) + 4, label, "end"));
  }
  growths.forEach(({ name, points }, i) => {
    const colour = colours[i % colours.length];
    const path = points.map(
      ({ size, seconds }) => `${round(x(Math.log2(size)))},${round(y(Math.log10(seconds.least * 1000)))}`,
    );
    parts.push(`<polyline points="${path.join(" ")}" fill="none" stroke="${colour}" stroke-width="1.8"/>`);
    for (const point of path) {
      const [cx, cy] = point.split(",");
      parts.push(`<circle cx="${cx}" cy="${cy}" r="2.6" fill="${colour}"/>`);
    }
    const at = margin.top + 12 + 20 * i;
    parts.push(line(width - margin.right + 14, at - 4, width - margin.right + 34, at - 4, colour));
    parts.push(text(width - margin.right + 40, at, name, "start"));
  });
  const slope = Math.min(Math.max(...sizes) - Math.min(...sizes), (highest - lowest) / Math.log10(2));
  const x0 = Math.min(...sizes);
  parts.push(
    line(x(x0), y(lowest), x(x0 + slope), y(lowest + slope * Math.log10(2)), "#888", "4 4"),
    text(margin.left, margin.top - 14, "milliseconds; dashed: in proportion to the size", "start"),
    text((margin.left + width - margin.right) / 2, height - 10, "batch size B, or environments S", "middle"),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>Time of one step against its size</title>
<rect width="${width}" height="${height}" fill="white"/>
${parts.join("\n")}
</svg>
`;
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} start
 * @param {number} end
 * @returns {(value: number) => number}
 */
function axis(from, to, start, end) {
  const span = to - from || 1;
  return (value) => start + ((value - from) / span) * (end - start);
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {string} colour
 * @param {string} dashes
 */
function line(x1, y1, x2, y2, colour, dashes = "none") {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${colour}" stroke-dasharray="${dashes}"/>`;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {"start" | "middle" | "end"} anchor
 */
function text(x, y, content, anchor) {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${content}</text>`;
}
