import { expect } from "vitest";
import type { Random } from "../../src/base/random.js";
import type { Executor } from "../../src/tensor/executor.js";
import { gradient } from "../../src/tensor/gradient.js";
import * as ops from "../../src/tensor/operations.js";
import { type Program, program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import { type Shape, shapeSize } from "../../src/tensor/shape.js";
import type { Tensor } from "../../src/tensor/tensor.js";
import { relativeDifference } from "./run.js";

/** A random program with values for its inputs and states. */
export interface RandomProgram {
  readonly program: Program;
  readonly inputs: Readonly<Record<string, Float32Array>>;
  readonly states: readonly { readonly tensor: Tensor; readonly values: Float32Array }[];
}

/**
 * A random graph of 5 to 25 operations over a few inputs and states, with several outputs, the gradient of a
 * scalar with respect to everything, and updates of the states. It exercises fusion and memory planning on
 * unforeseen shapes.
 */
export function randomProgram(random: Random): RandomProgram {
  const inputs: Record<string, Float32Array> = {};
  const states: { tensor: Tensor; values: Float32Array }[] = [];
  const pool: Tensor[] = [];
  const draw = (shape: Shape) =>
    Float32Array.from({ length: shapeSize(shape) }, () => random.uniform(-1.5, 1.5));

  const rows = 1 + random.integer(9);
  const columns = 1 + random.integer(40);
  const shapes: Shape[] = [[rows, columns], [columns, 1 + random.integer(40)], [columns], [rows, 1], []];
  for (let i = 0; i < 2 + random.integer(3); i++) {
    const shape = shapes[random.integer(shapes.length)];
    inputs[`x${i}`] = draw(shape);
    pool.push(ops.input(`x${i}`, shape));
  }
  for (let i = 0; i < 1 + random.integer(2); i++) {
    const shape = shapes[random.integer(shapes.length)];
    const tensor = ops.state(`s${i}`, shape);
    states.push({ tensor, values: draw(shape) });
    pool.push(tensor);
  }
  const leaves = [...pool];
  const steps = 5 + random.integer(21);
  for (let i = 0; i < steps; i++) pool.push(randomOperation(pool, random));

  const outputs: Record<string, Tensor> = {};
  for (let i = 0; i < 3; i++)
    outputs[`y${i}`] = pool[pool.length - 1 - random.integer(Math.min(8, pool.length))];
  const loss = ops.mean(
    ops.square(ops.tanh(ops.add(ops.mean(pool[pool.length - 1]), ops.mean(pool[pool.length - 2])))),
  );
  gradient(loss, leaves).forEach((g, i) => {
    outputs[`g${i}`] = g;
  });
  const updates = states.map(({ tensor }) => {
    const [g] = gradient(loss, [tensor]);
    const same = pool.filter((other) => other.shape.join() === tensor.shape.join());
    const moved = ops.sub(tensor, ops.mul(0.1, g));
    return [tensor, random.float() < 0.3 ? same[random.integer(same.length)] : moved] as const;
  });
  return { program: program({ outputs, updates }), inputs, states };
}

/** Applies a random operation to tensors of the pool; squashes the result, so that magnitudes stay near 1. */
function randomOperation(pool: readonly Tensor[], random: Random): Tensor {
  const pick = () => pool[random.integer(pool.length)];
  const like = (x: Tensor) => {
    const same = pool.filter((other) => other.shape.join() === x.shape.join());
    return same[random.integer(same.length)];
  };
  const x = pick();
  const last = x.shape.at(-1) ?? 1;
  const axis = x.shape.length === 0 ? 0 : random.integer(x.shape.length);
  const choices: (() => Tensor | null)[] = [
    () => ops.tanh(ops.add(x, like(x))),
    () => ops.mul(ops.tanh(x), like(x)),
    () => ops.sub(x, ops.mul(0.5, like(x))),
    () => ops.div(x, ops.add(1, ops.square(like(x)))),
    () => ops.relu(ops.sub(x, 0.1)),
    () => ops.exp(ops.neg(ops.abs(x))),
    () => ops.log(ops.add(1.5, ops.abs(x))),
    () => ops.sqrt(ops.add(0.5, ops.square(x))),
    () => ops.select(ops.greater(x, like(x)), x, ops.mul(0.3, x)),
    () => ops.maximum(x, like(x)),
    () => ops.minimum(ops.tanh(x), like(x)),
    () => (x.shape.length === 0 ? null : ops.logSoftmax(x)),
    () => (x.shape.length === 0 ? null : ops.logSumExp(x)),
    () => (x.shape.length === 0 ? null : ops.normalise(x, 0.1)),
    () => (x.shape.length === 0 ? null : ops.mean(x, axis, random.float() < 0.5)),
    () => (x.shape.length === 0 ? null : ops.max(x, axis)),
    () => ops.reshape(x, [x.size]),
    () => (x.shape.length < 2 ? null : ops.transpose(x)),
    () => (x.shape.length === 0 ? null : ops.tanh(ops.concat([x, like(x)], axis))),
    () => {
      if (x.shape.length === 0) return null;
      const start = x.shape.map((length) => random.integer(length));
      const end = x.shape.map((length, i) => start[i] + 1 + random.integer(length - start[i]));
      return ops.slice(x, start, end);
    },
    () => (x.shape.length > 3 ? null : ops.broadcastTo(x, [2, ...x.shape])),
    () => ops.tanh(ops.add(x, ops.mean(pick()))),
    () => {
      const w = pool.find((other) => other.shape.length === 2 && other.shape[0] === last);
      if (w === undefined || x.shape.length !== 2) return null;
      const bias = pool.find((other) => other.shape.length === 1 && other.shape[0] === w.shape[1]);
      const product = ops.matmul(x, w);
      return ops.tanh(bias === undefined ? ops.mul(product, 0.3) : ops.add(product, bias));
    },
    () => {
      if (x.shape.length !== 2) return null;
      const other = pool.find((w) => w.shape.length === 2 && w.shape[0] === x.shape[0]);
      return other === undefined ? null : ops.tanh(ops.matmul(x, other, { transposeA: true }));
    },
    () => {
      if (x.size < 27 || x.shape.length !== 2) return null;
      const height = Math.min(x.shape[0], 4);
      const width = Math.min(x.shape[1], 6);
      const image = ops.reshape(ops.slice(x, [0, 0], [height, width]), [1, height, width, 1]);
      const filter = ops.reshape(ops.slice(x, [0, 0], [1, Math.min(2, width)]), [
        1,
        Math.min(2, width),
        1,
        1,
      ]);
      return ops.relu(ops.conv2d(image, filter, { strideY: 1, strideX: 1 + random.integer(2) }));
    },
    () => {
      if (x.shape.length !== 2) return null;
      const index = ops.constant(Array.from({ length: x.shape[0] }, () => random.integer(x.shape[1])));
      return ops.gather(x, index);
    },
    () => ops.add(ops.stopGradient(x), ops.mul(0.2, x)),
    () => {
      const squares = ops.square(x);
      const from = random.integer(x.size);
      const part = ops.slice(ops.reshape(squares, [x.size]), [from], [x.size]);
      return ops.tanh(ops.mul(0.1, ops.sum(random.float() < 0.5 ? squares : part)));
    },
  ];
  for (;;) {
    const made = choices[random.integer(choices.length)]();
    if (made !== null && made.size <= 20000 && made.shape.length <= 4) return made;
  }
}

const reference = createReferenceExecutor();
const float32Reference = createReferenceExecutor({ precision: "float32" });

/** The outputs and states after each of two runs, by name. */
function twoRuns(executor: Executor, { program, inputs, states }: RandomProgram): Map<string, Float64Array> {
  const session = executor.load({ only: program });
  const { only } = session.programs;
  for (const [name, values] of Object.entries(inputs))
    if (program.inputs.has(name)) only.input(name).set(values);
  for (const { tensor, values } of states) session.state(tensor).set(values);
  const seen = new Map<string, Float64Array>();
  for (const run of [1, 2]) {
    only.run();
    for (const name of program.outputs.keys())
      seen.set(`${name} after run ${run}`, Float64Array.from(only.output(name)));
    for (const { tensor } of states)
      seen.set(`state ${tensor.id} after run ${run}`, Float64Array.from(session.state(tensor)));
  }
  return seen;
}

/**
 * Expects that each executor matches the reference in outputs, gradients and updated states, within float32
 * accuracy.
 */
export function expectReferenceNumbers(
  label: string,
  traced: RandomProgram,
  executors: readonly (readonly [name: string, executor: Executor])[],
): void {
  const expected = twoRuns(reference, traced);
  const rounded = twoRuns(float32Reference, traced);
  for (const [executor, machine] of executors) {
    for (const [name, values] of twoRuns(machine, traced)) {
      // The error bound is based on the error of the reference in float32, because no executor can do much
      // better.
      const exact = expected.get(name) ?? [];
      const bound = 1e-5 + 30 * relativeDifference(rounded.get(name) ?? [], exact);
      const difference = relativeDifference(values, exact);
      // A bound of 0.1 means that the program is too ill-conditioned to test anything.
      if (!(difference < bound && bound < 0.1)) {
        expect.fail(`${label}, ${name}, ${executor}: off by ${difference}, bound ${bound}`);
      }
    }
  }
}
