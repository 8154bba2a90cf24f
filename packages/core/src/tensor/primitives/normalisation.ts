import { fail } from "../../base/errors.js";
import type { Buffer } from "../buffer.js";
import { formatShape, type Shape, sameShape } from "../shape.js";
import { apply, type Primitive, type Tensor } from "../tensor.js";
import { add, div, mul, neg, sqrt, square, sub } from "./elementwise.js";
import { mean } from "./reduction.js";

const normalisePrimitive: Primitive<"normalise"> = {
  name: "normalise",
  shape([x]) {
    requireRows("normalise", x);
    return x;
  },
  derivative: ({ inputs: [x], attributes: { epsilon } }, g) => [normaliseGradient(x, g, epsilon)],
  kernel(out, [x], shapes, { epsilon }) {
    const columns = columnsOf(shapes.out);
    for (let start = 0; start < x.length; start += columns) {
      const { centre, inverse } = momentsOf(x, start, columns, epsilon);
      for (let i = start; i < start + columns; i++) out[i] = (x[i] - centre) * inverse;
    }
  },
};

const normaliseGradientPrimitive: Primitive<"normaliseGradient"> = {
  name: "normaliseGradient",
  shape([x, g]) {
    requireRows("normaliseGradient", x);
    if (!sameShape(x, g)) {
      fail("normaliseGradient", "the shapes differ", { expected: formatShape(x), got: formatShape(g) });
    }
    return x;
  },
  // D(x, g) is linear in g and its own transpose. With r = 1/√(σ² + ε), ∂r/∂x = −r² y/F and ∂y/∂x = D, the derivative of
  // Σ h D(x, g) = F r (mean(g h) − mean(g) mean(h) − mean(g y) mean(h y)) with respect to x is the first element.
  derivative({ inputs: [x, g], attributes: { epsilon } }, h) {
    const rowMean = (t: Tensor) => mean(t, -1, true);
    const y = normalise(x, epsilon);
    const variance = rowMean(square(sub(x, rowMean(x))));
    const inverse = div(1, sqrt(add(variance, epsilon)));
    const [gy, hy] = [rowMean(mul(g, y)), rowMean(mul(h, y))];
    const spread = sub(sub(rowMean(mul(g, h)), mul(rowMean(g), rowMean(h))), mul(gy, hy));
    const direct = mul(mul(square(inverse), spread), y);
    const through = add(mul(hy, normaliseGradient(x, g, epsilon)), mul(gy, normaliseGradient(x, h, epsilon)));
    return [neg(add(direct, mul(inverse, through))), normaliseGradient(x, h, epsilon)];
  },
  kernel(out, [x, g], shapes, { epsilon }) {
    const columns = columnsOf(shapes.out);
    for (let start = 0; start < x.length; start += columns) {
      const { centre, inverse } = momentsOf(x, start, columns, epsilon);
      let [ofG, ofGy] = [0, 0];
      for (let i = start; i < start + columns; i++) {
        ofG += g[i];
        ofGy += g[i] * (x[i] - centre) * inverse;
      }
      ofG /= columns;
      ofGy /= columns;
      for (let i = start; i < start + columns; i++) {
        out[i] = inverse * (g[i] - ofG - (x[i] - centre) * inverse * ofGy);
      }
    }
  },
};

/** μ and 1/√(σ² + ε) of a row. The mean of squared differences: E[x²] − μ² would lose all digits where |μ| ≫ σ. */
function momentsOf(
  x: Buffer,
  start: number,
  columns: number,
  epsilon: number,
): { readonly centre: number; readonly inverse: number } {
  let sum = 0;
  for (let i = start; i < start + columns; i++) sum += x[i];
  const centre = sum / columns;
  let squares = 0;
  for (let i = start; i < start + columns; i++) squares += (x[i] - centre) ** 2;
  return { centre, inverse: 1 / Math.sqrt(squares / columns + epsilon) };
}

function requireRows(where: string, x: Shape): void {
  if (x.length === 0) fail(where, "a scalar has no last axis", { expected: "at least one axis" });
}

const columnsOf = (shape: Shape): number => shape[shape.length - 1];

/** (x − μ) / √(σ² + ε) with the mean and the biased variance of each row, the last axis. */
export function normalise(x: Tensor, epsilon: number): Tensor {
  return apply(normalisePrimitive, [x], { epsilon });
}

/**
 * D(x, g): the cotangent of x where g is that of y = {@link normalise}(x): (g − mean(g) − y mean(g y)) / √(σ² + ε), the
 * means over the last axis.
 */
function normaliseGradient(x: Tensor, g: Tensor, epsilon: number): Tensor {
  return apply(normaliseGradientPrimitive, [x, g], { epsilon });
}

export const normalisationPrimitives = {
  normalise: normalisePrimitive,
  normaliseGradient: normaliseGradientPrimitive,
};
