/** The worker of the race: trains one of its two agents. Loaded when the reader starts it. */
import {
  a2c,
  builtInNetworks,
  builtInOptimisers,
  CartPole,
  createWasmExecutor,
  MinAtar,
  type ParentPort,
  SoftrlError,
  serveControlledRun,
  softQLearning,
} from "softrl";
import { afterMessages, serveEntries } from "./serve-entries.js";

const kinds = {
  algorithm: [a2c, softQLearning],
  network: builtInNetworks,
  optimiser: builtInOptimisers,
};

async function race(parent: ParentPort): Promise<void> {
  const executor = await createWasmExecutor();
  const parts = { kinds, executor, environment, clock: () => performance.now() / 1000 };
  await serveControlledRun(parent, parts, { pause: afterMessages() });
  self.close();
}

function environment(id: string, size: number): CartPole | MinAtar {
  if (id === "CartPole-v1") return new CartPole(size);
  if (id === "MinAtar/Breakout-v1") return new MinAtar("Breakout", size);
  throw new SoftrlError("race", "the race has no such environment", {
    expected: "CartPole-v1 or MinAtar/Breakout-v1",
    got: id,
  });
}

serveEntries({ race });
