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
type PartName = keyof Modules;

/** How the parts of the run are found. */
interface Search {
  readonly config: RunConfig;
  readonly modules: Modules;
  /** The parts that come from modules, though softrl may ship one of the same name. */
  readonly own: readonly PartName[];
}

/** The entry of the worker. */
export function work(parent: ParentPort, data: unknown): Promise<void> {
  return runTrainingWorker(parent, data, async (config, parts, own) => {
    const search: Search = { config, modules: parts as Modules, own };
    return {
      kinds: {
        algorithm: await kindOf<AlgorithmKind>("algorithm", builtInKinds.algorithm, search),
        network: await kindOf<NetworkKind>("network", builtInKinds.network, search),
        optimiser: await kindOf<OptimiserKind>("optimiser", builtInKinds.optimiser, search),
      },
      environment: await environmentOf(search),
      executor: await executorOf(config),
    };
  });
}

async function kindOf<Kind extends { readonly name: string }>(
  part: Exclude<PartName, "environment">,
  builtIn: readonly Kind[],
  { config, modules, own }: Search,
): Promise<Kind> {
  const { name } = config[part];
  const kind: Kind | null | undefined = own.includes(part)
    ? await exportOf(modules[part])
    : builtIn.find((candidate) => candidate.name === name);
  return kind?.name === name ? kind : refuse(part, name, kind?.name);
}

async function environmentOf({ config, modules, own }: Search): Promise<VectorEnvironment> {
  const { id, count, options } = config.environment;
  const where = "environment.options";
  if (isBuiltIn(id) && !own.includes("environment")) {
    return makeEnvironment(id, count, readEnvironmentOptions(where, id, options));
  }
  const kind: EnvironmentKind | null = await exportOf(modules.environment);
  return kind?.id === id ? makeOfKind(where, kind, count, options) : refuse("environment", id, kind?.id);
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

function refuse(part: PartName, name: string, found: string | undefined): never {
  const shipped = part === "environment" ? "one of makeEnvironment" : "one that softrl ships";
  throw new SoftrlError(part, `a worker cannot make the ${part} ${name}`, {
    expected: `${shipped}, or the default export of a module`,
    got: found === undefined ? "no module" : `a module that exports ${found}`,
    remedy: `pass its module: trainingWorkers({ modules: { ${part}: url } }), or train with 1 worker`,
  });
}
