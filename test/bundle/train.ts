// A page that trains one environment, given by value.
import { CartPole, createWasmExecutor, MemoryRunStore, makeAlgorithm, train, trainConfig } from "softrl";

export async function trainCartPole(steps: number) {
  const config = trainConfig({ algorithm: "a2c", environment: "CartPole-v1", steps });
  const environment = new CartPole(config.environments);
  const algorithm = makeAlgorithm(config, environment, await createWasmExecutor());
  const store = new MemoryRunStore();
  const { episodes } = await train(config, { environment, algorithm, store, clock: () => performance.now() });
  return { episodes, checkpoint: store.checkpoint };
}
