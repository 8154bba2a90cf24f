/** A policy's steps as plain JavaScript for one observation: loops over arrays, written for this network. */
import { broadcastStrides, oneLine, rowMajorStrides, SoftrlError, type Tensor } from "softrl";
import { elementOf, type Read, viewIndex, viewOf } from "./javascript-expressions.js";
import type { ExportedOutput, PolicyStep, PolicySteps } from "./policy-steps.js";

export interface JavaScriptCode {
  /** Declares the arrays between the steps; reads `weights`, a Float32Array. */
  readonly declarations: string;
  /** Computes everything from `observation`. */
  readonly body: string;
  /** Expressions for the element `i` of each output. */
  readonly outputs: ReadonlyMap<ExportedOutput, { readonly length: number; readonly read: Read }>;
  readonly weights: Float32Array;
}

type Primitive = Extract<Tensor["origin"], { readonly kind: "primitive" }>;

/** Element-by-element primitives as expressions of their inputs. */
const elementwise: Readonly<Partial<Record<Primitive["name"], (...inputs: string[]) => string>>> = {
  add: (a, b) => `${a} + ${b}`,
  subtract: (a, b) => `${a} - ${b}`,
  multiply: (a, b) => `${a} * ${b}`,
  divide: (a, b) => `${a} / ${b}`,
  maximum: (a, b) => `Math.max(${a}, ${b})`,
  minimum: (a, b) => `Math.min(${a}, ${b})`,
  negate: (a) => `-${a}`,
  absolute: (a) => `Math.abs(${a})`,
  exp: (a) => `Math.exp(${a})`,
  log: (a) => `Math.log(${a})`,
  tanh: (a) => `Math.tanh(${a})`,
  relu: (a) => `Math.max(${a}, 0)`,
  squareRoot: (a) => `Math.sqrt(${a})`,
  greater: (a, b) => `+(${a} > ${b})`,
  greaterEqual: (a, b) => `+(${a} >= ${b})`,
  equal: (a, b) => `+(${a} === ${b})`,
  select: (condition, a, b) => `${condition} !== 0 ? ${a} : ${b}`,
};

/**
 * The code of a policy, in float64 with float32 weights.
 *
 * @param where what an error names
 * @throws SoftrlError for a primitive that stands in no forward pass.
 */
export function javaScriptCode(where: string, policy: PolicySteps): JavaScriptCode {
  return new CodeWriter(where, policy).code();
}

class CodeWriter {
  readonly #where: string;
  readonly #policy: PolicySteps;
  readonly #declarations: string[] = [];
  readonly #body: string[] = [];
  readonly #weights: number[][] = [];
  #weightCount = 0;
  /** How each step's value is read. */
  readonly #reads: Read[] = [];
  readonly #inlined: ReadonlySet<number>;

  constructor(where: string, policy: PolicySteps) {
    this.#where = where;
    this.#policy = policy;
    this.#inlined = inlinedSteps(policy);
  }

  code(): JavaScriptCode {
    const { steps, outputs } = this.#policy;
    for (const [i, step] of steps.entries()) this.#reads.push(this.#add(step, i));
    const weights = new Float32Array(this.#weightCount);
    let next = 0;
    for (const values of this.#weights) {
      weights.set(values, next);
      next += values.length;
    }
    const read = new Map(
      [...outputs].map(([name, step]) => [
        name,
        { length: steps[step].tensor.size, read: this.#reads[step] },
      ]),
    );
    return {
      declarations: this.#declarations.join("\n"),
      body: this.#body.join("\n"),
      outputs: read,
      weights,
    };
  }

  #add(step: PolicyStep, i: number): Read {
    const { known, tensor } = step;
    if (known !== null) return this.#known(step, known, i);
    const { origin } = tensor;
    if (origin.kind !== "primitive") return elementOf("observation");
    const formula = elementwise[origin.name];
    if (formula === undefined) return this.#apply(origin, step, i);
    const read: Read = (index) => formula(...step.inputs.map((input) => this.#reads[input](index)));
    if (this.#inlined.has(i)) return (index) => `(${read(index)})`;
    const out = this.#array(i, tensor.size);
    this.#body.push(loop("i", tensor.size, `${out}[i] = ${read("i")};`));
    return elementOf(out);
  }

  /** Fixed numbers: one is written into the code, more into the weights. */
  #known({ tensor, parameter }: PolicyStep, known: Float64Array, i: number): Read {
    if (known.length === 1)
      return () => (known[0] < 0 || Object.is(known[0], -0) ? `(${known[0]})` : String(known[0]));
    const start = this.#weightCount;
    this.#weights.push(Array.from(known));
    this.#weightCount += known.length;
    const comment = `// ${oneLine(parameter ?? "constant", 100)} [${tensor.shape.join(", ")}]`;
    this.#declarations.push(`const w${i} = weights.subarray(${start}, ${this.#weightCount}); ${comment}`);
    return elementOf(`w${i}`);
  }

  #array(i: number, length: number): string {
    this.#declarations.push(`const v${i} = new Float64Array(${length});`);
    return `v${i}`;
  }

  #apply(origin: Primitive, { tensor, inputs }: PolicyStep, i: number): Read {
    const { steps } = this.#policy;
    const { shape, size } = tensor;
    const read = this.#reads[inputs[0]];
    const source = steps[inputs[0]].tensor;
    const columns = source.shape.at(-1) ?? 1;
    switch (origin.name) {
      case "stopGradient":
      case "reshape":
        return read;
      case "broadcastTo":
        return viewOf(read, shape, broadcastStrides(source.shape, shape));
      case "transpose": {
        const strides = rowMajorStrides(source.shape);
        return viewOf(
          read,
          shape,
          origin.attributes.permutation.map((axis) => strides[axis]),
        );
      }
      case "slice": {
        const strides = rowMajorStrides(source.shape);
        const offset = origin.attributes.start.reduce((sum, at, axis) => sum + at * strides[axis], 0);
        return viewOf(read, shape, strides, offset);
      }
      case "pad": {
        const out = this.#array(i, size);
        const strides = rowMajorStrides(shape);
        const offset = origin.attributes.before.reduce((sum, at, axis) => sum + at * strides[axis], 0);
        const to = viewIndex("i", source.shape, strides, offset);
        this.#body.push(loop("i", source.size, `${out}[${to}] = ${read("i")};`));
        return elementOf(out);
      }
      case "concat": {
        const out = this.#array(i, size);
        const strides = rowMajorStrides(shape);
        let position = 0;
        for (const input of inputs) {
          const part = steps[input].tensor;
          const to = viewIndex("i", part.shape, strides, position * strides[origin.attributes.axis]);
          this.#body.push(loop("i", part.size, `${out}[${to}] = ${this.#reads[input]("i")};`));
          position += part.shape[origin.attributes.axis];
        }
        return elementOf(out);
      }
      case "sum":
      case "max": {
        const out = this.#array(i, size);
        const { axes } = origin.attributes;
        const kept = rowMajorStrides(shape);
        let next = 0;
        const to = viewIndex(
          "i",
          source.shape,
          source.shape.map((_, axis) => (axes.includes(axis) ? 0 : kept[next++])),
        );
        const isSum = origin.name === "sum";
        const reduced = isSum
          ? `${out}[${to}] += ${read("i")};`
          : `${out}[${to}] = Math.max(${out}[${to}], ${read("i")});`;
        this.#body.push(`${out}.fill(${isSum ? "0" : "-Infinity"});`, loop("i", source.size, reduced));
        return elementOf(out);
      }
      case "matmul":
        return this.#matmul(origin.attributes, inputs, tensor, i);
      case "conv2d":
        return this.#convolution(origin.attributes, inputs, tensor, i);
      case "logSumExp":
      case "logSoftmax": {
        const out = this.#array(i, size);
        const isSum = origin.name === "logSumExp";
        const at = (row: string) => read(`${row} * ${columns} + a`);
        this.#body.push(
          loop(
            "row",
            source.size / columns,
            [
              "let high = -Infinity, total = 0;",
              loop("a", columns, `high = Math.max(high, ${at("row")});`),
              loop("a", columns, `total += Math.exp(${at("row")} - high);`),
              "const partition = high + Math.log(total);",
              isSum
                ? `${out}[row] = partition;`
                : loop("a", columns, `${out}[row * ${columns} + a] = ${at("row")} - partition;`),
            ].join("\n"),
          ),
        );
        return elementOf(out);
      }
      case "normalise": {
        const out = this.#array(i, size);
        const at = read(`row * ${columns} + a`);
        this.#body.push(
          loop(
            "row",
            size / columns,
            [
              "let centre = 0, squares = 0;",
              loop("a", columns, `centre += ${at};`),
              `centre /= ${columns};`,
              loop("a", columns, `squares += (${at} - centre) ** 2;`),
              `const inverse = 1 / Math.sqrt(squares / ${columns} + ${origin.attributes.epsilon});`,
              loop("a", columns, `${out}[row * ${columns} + a] = (${at} - centre) * inverse;`),
            ].join("\n"),
          ),
        );
        return elementOf(out);
      }
      default:
        throw new SoftrlError(this.#where, `the network applies ${origin.name}, which cannot be exported`, {
          expected: "the operations of a forward pass: layers, activations, normalisation",
          remedy: "leave it out of the network, or run the policy with loadPolicy",
        });
    }
  }

  /** Goes through the second factor in the order in which it stands in memory. */
  #matmul(
    { transposeA, transposeB }: { readonly transposeA: boolean; readonly transposeB: boolean },
    inputs: readonly number[],
    { shape: [m, n] }: Tensor,
    i: number,
  ): Read {
    const out = this.#array(i, m * n);
    const [a, b] = inputs.map((input) => this.#reads[input]);
    const shapeOfA = this.#policy.steps[inputs[0]].tensor.shape;
    const inner = shapeOfA[transposeA ? 0 : 1];
    const row = m === 1 ? "" : `row * ${n} + `;
    const left = transposeA ? (m === 1 ? "k" : `k * ${m} + row`) : m === 1 ? "k" : `row * ${inner} + k`;
    const right = transposeB ? `j * ${inner} + k` : `k * ${n} + j`;
    const product = [`const x = ${a(left)};`, loop("j", n, `${out}[${row}j] += x * ${b(right)};`)].join("\n");
    const products = loop("k", inner, product);
    this.#body.push(`${out}.fill(0);`, m === 1 ? products : loop("row", m, products));
    return elementOf(out);
  }

  #convolution(
    { strideY, strideX }: { readonly strideY: number; readonly strideX: number },
    inputs: readonly number[],
    { shape: [, outHeight, outWidth, filters], size }: Tensor,
    i: number,
  ): Read {
    const out = this.#array(i, size);
    const [image, filter] = inputs.map((input) => this.#reads[input]);
    const [, , width, channels] = this.#policy.steps[inputs[0]].tensor.shape;
    const [filterHeight, filterWidth] = this.#policy.steps[inputs[1]].tensor.shape;
    // The channels of a row of the filter are neighbours in the image, too.
    const run = filterWidth * channels;
    const pixel = [
      `const x = ${image("from + k")}, weight = (dy * ${run} + k) * ${filters};`,
      loop("o", filters, `${out}[to + o] += x * ${filter("weight + o")};`),
    ].join("\n");
    const row = [
      `const from = ((y * ${strideY} + dy) * ${width} + x0 * ${strideX}) * ${channels};`,
      loop("k", run, pixel),
    ].join("\n");
    const position = [`const to = (y * ${outWidth} + x0) * ${filters};`, loop("dy", filterHeight, row)].join(
      "\n",
    );
    this.#body.push(`${out}.fill(0);`, loop("y", outHeight, loop("x0", outWidth, position)));
    return elementOf(out);
  }
}

/** A loop from 0; of one turn, a block. */
function loop(index: string, length: number, body: string): string {
  const indented = body.replaceAll(/^/gm, "  ");
  if (length === 1) return `{\n  const ${index} = 0;\n${indented}\n}`;
  const head = `for (let ${index} = 0; ${index} < ${length}; ${index}++)`;
  return body.includes("\n") ? `${head} {\n${indented}\n}` : `${head} ${body}`;
}

/** Elementwise steps that one other elementwise step reads, each element once: they need no array. */
function inlinedSteps({ steps, outputs }: PolicySteps): ReadonlySet<number> {
  const isElementwise = ({ tensor: { origin }, known }: PolicyStep) =>
    known === null && origin.kind === "primitive" && elementwise[origin.name] !== undefined;
  const readers = new Map<number, PolicyStep[]>();
  for (const step of steps) {
    for (const input of step.inputs) readers.set(input, [...(readers.get(input) ?? []), step]);
  }
  const isOutput = new Set(outputs.values());
  return new Set(
    steps.flatMap((step, i) => {
      const [reader, ...others] = readers.get(i) ?? [];
      const isRead = reader !== undefined && others.length === 0 && isElementwise(reader);
      return isRead && isElementwise(step) && !isOutput.has(i) ? [i] : [];
    }),
  );
}
