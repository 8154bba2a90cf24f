import {
  atariSettings,
  describeSpace,
  type Executor,
  environmentFamily,
  environmentSettings,
  LiveSettings,
  makeAlgorithm,
  oneLine,
  type Policy,
  policyOf,
  type RunConfig,
  runConfig,
  SoftrlError,
  sameSpace,
  savedPolicy,
  sectionValues,
  snapshotSection,
  type VectorEnvironment,
} from "softrl";
import { openEnvironment } from "../parts/open-environment.js";
import {
  findAlgorithm,
  findEnvironment,
  findNetwork,
  findParts,
  type NamedParts,
} from "../parts/run-parts.js";
import { executorOfVariable, makeExecutor } from "./executor.js";
import { type SavedRun, savedParts, type TrustedRun } from "./saved-run.js";

/** What a run has learned, and environments to play in. */
export interface SavedPlay {
  readonly policy: Policy;
  readonly environment: VectorEnvironment;
  readonly executor: Executor;
}

/** How a saved policy is to be played. */
export interface PlayRequest {
  /** The seed of the actions drawn. */
  readonly seed: number;
  /** How many environments; the run's number if left out. */
  readonly size?: number;
  /** Whether the environment will be filmed. */
  readonly screens?: boolean;
  /** The executor that an option names. */
  readonly executor?: string | undefined;
  /** The files that options name, where they were moved. */
  readonly named: NamedParts;
}

/** The title of a saved run's algorithm; its name where its file cannot be loaded. */
export async function savedTitle(run: TrustedRun, named: NamedParts): Promise<string> {
  try {
    return (await findAlgorithm(savedParts(run, named))).title;
  } catch (error) {
    if (error instanceof SoftrlError) return oneLine(run.config.names.algorithm ?? "", 100);
    throw error;
  }
}

/** The environment's section of a saved configuration, checked. */
export function savedEnvironment({ config, path }: SavedRun): RunConfig["environment"] {
  const { environment: id = "" } = config.names;
  const section = config.chosen.environment ?? {};
  const where = `${path}: environment`;
  return {
    id,
    ...sectionValues(where, environmentSettings, section),
    ...(environmentFamily(id) === "atari" ? sectionValues(where, atariSettings, section) : {}),
  };
}

/**
 * Loads a run's policy on any executor, without its algorithm wherever the policy can be made without.
 * @throws SoftrlError when a file is gone, or the environment's observations are not those that the policy reads.
 */
export async function openSavedPlay(run: TrustedRun, request: PlayRequest): Promise<SavedPlay> {
  const { path, snapshot, where } = run;
  const named = savedParts(run, request.named);
  const section = savedEnvironment(run);
  const { size = section.count } = request;
  const executor = await makeExecutor(
    request.executor === undefined ? executorOfVariable() : { name: request.executor, where: "--executor" },
  );
  const { kind } = await findEnvironment(named);
  const { form } = savedPolicy(path, snapshot);
  const network = form === null ? null : await findNetwork(named);
  const screens = request.screens ?? false;
  const environment = await openEnvironment({
    environment: section,
    kind,
    size,
    training: false,
    screens,
    where,
  });
  try {
    const policy =
      network === null
        ? await policyOfAlgorithm(run, request, named, environment, executor)
        : policyOf(snapshot, executor, { where: path, networks: [network], rows: size, seed: request.seed });
    requireSameSpaces(path, policy, environment);
    return { policy, environment, executor };
  } catch (error) {
    await environment.close();
    throw error;
  }
}

/** The policy of an algorithm that must make it itself. */
async function policyOfAlgorithm(
  { config, path, snapshot, where }: SavedRun,
  { seed }: PlayRequest,
  named: NamedParts,
  environment: VectorEnvironment,
  executor: Executor,
): Promise<Policy> {
  const parts = await findParts(named);
  const { kinds, modules, known } = parts;
  const chosen = { ...config.chosen, run: { ...config.chosen.run, seed } };
  const choice = { kinds, modules, environment: parts.environment, executor, chosen, known };
  const complete = runConfig(choice, where);
  const live = new LiveSettings(complete.run.steps);
  const { policy } = makeAlgorithm(complete, kinds, environment, executor, live);
  policy.restore(snapshotSection(path, snapshot, "parameters"));
  return policy;
}

function requireSameSpaces(path: string, policy: Policy, environment: VectorEnvironment): void {
  for (const name of ["observationSpace", "actionSpace"] as const) {
    if (sameSpace(policy[name], environment[name])) continue;
    throw new SoftrlError(path, `the policy does not fit ${environment.id}: the ${name} differs`, {
      expected: describeSpace(policy[name]),
      got: describeSpace(environment[name]),
      remedy: "use the environment that the run was trained on",
    });
  }
}
