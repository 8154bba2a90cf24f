import type { Layer } from "../../src/nn/layer.js";
import { Parameters } from "../../src/nn/parameters.js";
import type { Executor } from "../../src/tensor/executor.js";
import { gradient } from "../../src/tensor/gradient.js";
import { concat, constant, input, mul, reshape, sum } from "../../src/tensor/operations.js";
import { program } from "../../src/tensor/program.js";
import type { Shape } from "../../src/tensor/shape.js";

/** A layer's output at x and θ, the gradient of Σ weights · y there, and a product with the Hessian of that sum. */
export interface LayerDerivatives {
  readonly y: Float64Array;
  /** In x, then in θ. */
  readonly gradient: Float64Array;
  /** ∂(gradient · direction), in x, then in θ. */
  readonly hessianProduct: Float64Array;
}

/**
 * Evaluates a layer and its derivatives as an executor's programs do.
 *
 * @param point x and θ, one after the other
 */
export function layerDerivatives(
  executor: Executor,
  layer: Layer,
  inputShape: Shape,
  batch: number,
): (point: ArrayLike<number>, weights: ArrayLike<number>, direction: ArrayLike<number>) => LayerDerivatives {
  const parameters = new Parameters(layer.parameters);
  const x = input("x", [batch, ...inputShape]);
  // A program has no axis of length 0.
  const theta = parameters.size === 0 ? constant(0) : input("theta", [parameters.size]);
  const y = layer.apply(x, parameters.views(theta));
  const weights = input("weights", y.shape);
  const wrt = parameters.size === 0 ? [x] : [x, theta];
  const vector = (parts: readonly ReturnType<typeof input>[]) =>
    concat(parts.map((part) => reshape(part, [part.size])));
  const g = vector(gradient(sum(mul(weights, y)), wrt));
  const direction = input("direction", g.shape);
  const hessianProduct = vector(gradient(sum(mul(g, direction)), wrt));
  const traced = program({ outputs: { y, g, hessianProduct } });
  const { f } = executor.load({ f: traced }).programs;
  return (point, w, d) => {
    const values = Array.from(point);
    f.input("x").set(values.slice(0, x.size));
    if (parameters.size > 0) f.input("theta").set(values.slice(x.size));
    f.input("weights").set(w);
    if (traced.inputs.has("direction")) f.input("direction").set(d);
    f.run();
    const copy = (name: string) => Float64Array.from(f.output(name));
    return { y: copy("y"), gradient: copy("g"), hessianProduct: copy("hessianProduct") };
  };
}
