import { expect, test } from "vitest";
import { policyGradientLoss } from "../../src/losses/policy-gradient.js";
import { valueLoss } from "../../src/losses/value.js";
import { logPrior, stateValues } from "../../src/math/units.js";
import { mlp } from "../../src/nn/body.js";
import { policyValueNetwork } from "../../src/nn/heads.js";
import { gradientVector } from "../../src/nn/parameters.js";
import { createWasmExecutor } from "../../src/tensor/compiled/wasm-executor.js";
import { add, constant, input, mul, state, tanh } from "../../src/tensor/operations.js";
import { type Program, program, type Step } from "../../src/tensor/program.js";
import type { Tensor } from "../../src/tensor/tensor.js";

const wasm = await createWasmExecutor();

/** The program, and how often its steps have been looked at: a measure of time that no other work disturbs. */
function counted(whole: Program): { readonly program: Program; readonly looks: () => number } {
  let looks = 0;
  const steps = whole.steps.map(
    ({ tensor, inputs }): Step => ({
      get tensor() {
        looks++;
        return tensor;
      },
      inputs,
    }),
  );
  return { program: { ...whole, steps }, looks: () => looks };
}

/** How often a step is looked at, on average, while programs are compiled. */
function looksPerStep(programs: Readonly<Record<string, Program>>, recorded: boolean): number {
  const all = Object.entries(programs).map(([name, whole]) => [name, counted(whole)] as const);
  const compiled = Object.fromEntries(all.map(([name, { program }]) => [name, program]));
  if (recorded) wasm.load(compiled, { of: "evaluate", into: "update", slices: 2 });
  else wasm.load(compiled);
  const looks = all.reduce((sum, [, { looks }]) => sum + looks(), 0);
  return looks / Object.values(programs).reduce((sum, { steps }) => sum + steps.length, 0);
}

/** The programs of an algorithm whose network has so many hidden layers of one unit. */
function training(layers: number): Readonly<Record<string, Program>> {
  const body = mlp(Array.from({ length: layers }, () => 1));
  const network = policyValueNetwork(body, [4], 2, { bodies: "separate" });
  const views = network.parameters.views(state("theta", [network.parameters.size]));
  const { logPi, v } = network.apply(input("observations", [6, 4]), views);
  const batch = (name: string) => input(name, [6]);
  const [actions, advantages] = [batch("actions"), batch("advantages")];
  const prior = logPrior(constant([0, 0]));
  const loss = add(
    policyGradientLoss({ logPi, logPrior: prior, actions, advantages, tau: 0.1 }),
    valueLoss({ v, targets: stateValues(batch("targets")) }),
  );
  return {
    evaluate: program({ outputs: { ...network.apply(input("observations", [3, 4]), views) } }),
    update: program({ outputs: { loss, gradient: gradientVector(loss, views) } }),
  };
}

/** y = f(f(…f(x))) */
function chain(length: number, f: (y: Tensor, i: number) => Tensor): Program {
  let y = input("x", [4]);
  for (let i = 0; i < length; i++) y = f(y, i);
  return program({ outputs: { y } });
}

test.each([
  ["hidden layers", (size: number) => training(size / 16), true],
  ["functions one after another", (size: number) => ({ only: chain(size, tanh) }), false],
  ["terms", (size: number) => ({ only: chain(size, (y, i) => add(y, mul(y, i))) }), false],
] as const)("the time to compile grows with the number of %s, not with its square", (_, make, recorded) => {
  const [few, many] = [400, 1600].map((size) => looksPerStep(make(size), recorded));
  expect(many).toBeLessThan(1.5 * few);
});
