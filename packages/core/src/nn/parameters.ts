import { allocate, requireMemory } from "../base/allocation.js";
import { describeValue, fail } from "../base/errors.js";
import type { Random } from "../base/random.js";
import { gradient } from "../tensor/gradient.js";
import { concat, reshape, slice } from "../tensor/operations.js";
import { type Shape, shapeSize } from "../tensor/shape.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Initialiser } from "./initialiser.js";

/** One parameter of a network. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly initialiser: Initialiser;
  /** For a parameter that is not learned: the statistic of the observations that it holds, element by element. */
  readonly statistic?: "mean" | "inverseDeviation";
}

/** A parameter and its place in θ. */
export interface PlacedParameter extends ParameterSpec {
  readonly offset: number;
  readonly size: number;
}

/**
 * All parameters of a network as one vector θ, as the paper writes it. So the gradient is a vector too, its norm is the
 * global norm, an optimiser is a formula on vectors, and a checkpoint holds one array.
 */
export class Parameters {
  readonly entries: readonly PlacedParameter[];
  /** The length P of θ. */
  readonly size: number;

  /**
   * @throws SoftrlError for two parameters of one name, of which a checkpoint would lose one, and with the code
   *   `out-of-memory` for more parameters than an executor has room for.
   */
  constructor(specs: readonly ParameterSpec[]) {
    requireDifferentNames(specs);
    let offset = 0;
    this.entries = specs.map((spec) => {
      const size = shapeSize(spec.shape);
      const entry = { ...spec, offset, size };
      offset += size;
      return entry;
    });
    this.size = offset;
    requireMemory("Parameters", offset * Float64Array.BYTES_PER_ELEMENT, "use a smaller network");
  }

  /** Initial values of θ [P]. @throws SoftrlError with the code `out-of-memory` when they do not fit. */
  initial(random: Random): Float64Array {
    const theta = allocate("Parameters.initial", Float64Array, this.size);
    for (const { shape, initialiser, offset } of this.entries) theta.set(initialiser(shape, random), offset);
    return theta;
  }

  /** Each parameter as a tensor of its own shape: a slice of θ [P]. */
  views(theta: Tensor): Tensor[] {
    return this.entries.map(({ shape, offset, size }) =>
      reshape(slice(theta, [offset], [offset + size]), shape),
    );
  }
}

function requireDifferentNames(specs: readonly ParameterSpec[]): void {
  const names = new Set<string>();
  for (const { name } of specs) {
    if (names.has(name)) {
      fail("Parameters", `two parameters are named ${describeValue(name)}`, {
        expected: "a name of its own for each",
        remedy: "rename one: a checkpoint keeps parameters by name",
      });
    }
    names.add(name);
  }
}

/** ∂y/∂θ as one vector [P], from the views of θ from which y was computed. */
export function gradientVector(y: Tensor, views: readonly Tensor[]): Tensor {
  return concat(gradient(y, views).map((part) => reshape(part, [part.size])));
}
