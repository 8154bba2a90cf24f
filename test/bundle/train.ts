// A page that trains on one environment, given by value.
import { a2c, CartPole, createWasmExecutor, MemoryRunStore, train } from "softrl";

export async function trainCartPole(steps: number) {
  const store = new MemoryRunStore();
  const { result } = await train({
    algorithm: a2c,
    environment: new CartPole(8),
    executor: await createWasmExecutor(),
    settings: { run: { steps } },
    store,
    clock: () => performance.now(),
  });
  return { episodes: result.episodes, checkpoint: store.checkpoint };
}
