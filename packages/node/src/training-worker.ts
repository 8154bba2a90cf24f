/** The module of a worker thread that trains: its parts are those that softrl ships, or come from modules. */
import {
  type AlgorithmKind,
  builtInKinds,
  createReferenceExecutor,
  createRelaxedWasmExecutor,
  createWasmExecutor,
  type EnvironmentKind,
  type Executor,
  isBuiltIn,
  makeEnvironment,
  makeOfKind,
  type NetworkKind,
  type OptimiserKind,
  type ParentPort,
  type RunConfig,
  readEnvironmentOptions,
  runTrainingWorker,
  SoftrlError,
  type VectorEnvironment,
} from "softrl";
import type { TrainingWorkersOptions } from "./training-workers.js";

type Modules = NonNullable<TrainingWorkersOptions["modules"]>;

/** The entry of the worker. */
export function work(parent: ParentPort, data: unknown): Promise<void> {
  return runTrainingWorker(parent, data, async (config, parts) => {
    const modules = parts as Modules;
    return {
      kinds: {
        algorithm: await kindOf<AlgorithmKind>("algorithm", builtInKinds.algorithm, config, modules),
        network: await kindOf<NetworkKind>("network", builtInKinds.network, config, modules),
        optimiser: await kindOf<OptimiserKind>("optimiser", builtInKinds.optimiser, config, modules),
      },
      environment: await environmentOf(config, modules),
      executor: await executorOf(config),
    };
  });
}

async function kindOf<Kind extends { readonly name: string }>(
  part: "algorithm" | "network" | "optimiser",
  builtIn: readonly Kind[],
  config: RunConfig,
  modules: Modules,
): Promise<Kind> {
  const { name } = config[part];
  const known = builtIn.find((kind) => kind.name === name);
  if (known !== undefined) return known;
  const kind: Kind | null = await exportOf(modules[part]);
  return kind?.name === name ? kind : refuse(part, name);
}

async function environmentOf({ environment }: RunConfig, modules: Modules): Promise<VectorEnvironment> {
  const { id, count, options } = environment;
  const where = "environment.options";
  if (isBuiltIn(id)) return makeEnvironment(id, count, readEnvironmentOptions(where, id, options));
  const kind: EnvironmentKind | null = await exportOf(modules.environment);
  return kind?.id === id ? makeOfKind(where, kind, count, options) : refuse("environment", id);
}

/** What a module exports by default; null without a module. */
const exportOf = async <Export>(module: string | undefined): Promise<Export | null> =>
  module === undefined ? null : (await import(module)).default;

async function executorOf({ run }: RunConfig): Promise<Executor> {
  if (run.executor === "reference") return createReferenceExecutor();
  if (run.executor === "wasm") return createWasmExecutor();
  if (run.executor === "wasm-relaxed") return createRelaxedWasmExecutor();
  if (run.executor === "native") {
    // By a name that no type checker follows: the package is optional.
    const native = "@softrl/native";
    const { createNativeExecutor } = await import(native);
    return createNativeExecutor(
      run.instructionSet === undefined ? {} : { instructionSet: run.instructionSet },
    );
  }
  throw new SoftrlError("executor", "a worker cannot make this executor", {
    expected: "reference, wasm, wasm-relaxed or native",
    got: JSON.stringify(run.executor),
    remedy: "train with one of them, or with 1 worker",
  });
}

function refuse(part: keyof Modules, name: string): never {
  throw new SoftrlError(part, `a worker cannot make the ${part} ${name}`, {
    expected: "one that softrl ships, or the default export of a module",
    remedy: `pass its module: trainingWorkers({ modules: { ${part}: url } }), or train with 1 worker`,
  });
}
