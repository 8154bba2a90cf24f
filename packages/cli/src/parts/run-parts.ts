import {
  type AlgorithmKind,
  builtInKinds,
  defaultNetwork,
  defaultNetworks,
  defaultOptimiser,
  type EnvironmentFamily,
  type EnvironmentKind,
  environmentFamily,
  environmentIds,
  isBuiltIn,
  type KnownKinds,
  type NetworkKind,
  nearMatch,
  type RunChoice,
  type RunKinds,
  SoftrlError,
} from "softrl";
import { absolute, isFile, kindOptions, loadKind } from "./kind-file.js";
import type { ExportedKinds, KindName } from "./kind-shape.js";

/** How a part of a run is named, and by whom. */
export interface NamedPart {
  /** The name of a built-in kind, an environment's id, or a file. */
  readonly name: string;
  /** The file that exports it, where a configuration gives both. */
  readonly module?: string;
  /** What an error names. */
  readonly where: string;
  /** The folder that relative paths start from. */
  readonly folder: string;
  /** What to do when the file does not exist. */
  readonly remedy?: string;
  /** The name that the kind must have; any if left out. */
  readonly expected?: string;
}

/** The parts of a run that are named; the others have their defaults. */
export type NamedParts = { readonly [Which in KindName]?: NamedPart };

/** The parts that a run is made of, found by their names. */
export interface RunParts {
  readonly kinds: RunKinds;
  readonly environment: string;
  /** The environment's kind where a file exports it; null for those that are built in or Gymnasium's. */
  readonly environmentKind: EnvironmentKind | null;
  /** Whose defaults the run takes. */
  readonly family: EnvironmentFamily;
  /** Whether nothing names the network. */
  readonly hasDefaultNetwork: boolean;
  /** The files that parts were loaded from. */
  readonly modules: NonNullable<RunChoice["modules"]>;
  /** The built-in kinds, and those of files. */
  readonly known: KnownKinds;
  /** What an error about a part names. */
  readonly where: Readonly<Record<KindName, string>>;
}

const DEFAULT_ALGORITHM = "a2c";
const DEFAULT_ENVIRONMENT = "CartPole-v1";

/** A part, and the file that it was loaded from if it is not built in. */
interface Found<Kind> {
  readonly kind: Kind;
  readonly module?: string;
}

/**
 * Finds the parts of a run: the built-in kinds by name, others by importing their files.
 * @throws SoftrlError for an unknown name, and for a file that is missing or exports something else.
 */
export async function findParts(named: NamedParts): Promise<RunParts> {
  const environment = await findEnvironment(named);
  const family = environment.kind?.family ?? environmentFamily(environment.id);
  const algorithm = await find("algorithm", named, DEFAULT_ALGORITHM);
  const network = await find("network", named, defaultNetwork(algorithm.kind, family));
  const optimiser = await find("optimiser", named, defaultOptimiser(algorithm.kind, family, network.kind));
  const modules: { [Which in KindName]?: string } = {};
  for (const [which, { module }] of Object.entries({ algorithm, environment, network, optimiser })) {
    if (module !== undefined) modules[which as KindName] = module;
  }
  const where = (which: KindName) => whereOf(which, named);
  return {
    kinds: { algorithm: algorithm.kind, network: network.kind, optimiser: optimiser.kind },
    environment: environment.id,
    environmentKind: environment.kind,
    family,
    hasDefaultNetwork: named.network === undefined,
    modules,
    known: {
      algorithm: withKind(builtInKinds.algorithm, algorithm.kind),
      network: withKind(builtInKinds.network, network.kind),
      optimiser: withKind(builtInKinds.optimiser, optimiser.kind),
    },
    where: {
      algorithm: where("algorithm"),
      environment: where("environment"),
      network: where("network"),
      optimiser: where("optimiser"),
    },
  };
}

/** The environment's id, and its kind if a file exports it. */
export async function findEnvironment(
  named: NamedParts,
): Promise<{ readonly id: string; readonly kind: EnvironmentKind | null; readonly module?: string }> {
  const { name = DEFAULT_ENVIRONMENT, where = kindOptions.environment } = named.environment ?? {};
  if (name.trim() === "") {
    throw new SoftrlError(where, "invalid value", {
      expected: "the id of an environment, or a file that exports one",
      got: JSON.stringify(name),
    });
  }
  const found = await ofFile("environment", named.environment);
  if (found === null) {
    refuseUnversioned(where, name);
    return { id: name, kind: null };
  }
  return { id: found.kind.id, ...found };
}

/** @throws SoftrlError for a built-in id without its version: Gymnasium would make its own newest one, in Python. */
function refuseUnversioned(where: string, name: string): void {
  const meant = environmentIds.find((id) => id.replace(/-v\d+$/, "") === name);
  if (meant === undefined) return;
  throw new SoftrlError(where, "unknown environment", {
    expected: "the id with its version",
    got: JSON.stringify(name),
    remedy: `did you mean ${meant}?`,
  });
}

/** An algorithm by its name or its file. */
export async function findAlgorithm(named: NamedParts): Promise<AlgorithmKind> {
  return (await find("algorithm", named, DEFAULT_ALGORITHM)).kind;
}

/** A network by its name or its file. */
export async function findNetwork(named: NamedParts): Promise<NetworkKind> {
  return (await find("network", named, defaultNetworks.vector)).kind;
}

async function find<Which extends keyof RunKinds>(
  which: Which,
  named: NamedParts,
  standard: string,
): Promise<Found<RunKinds[Which]>> {
  const found: Found<RunKinds[Which]> | null = await ofFile<Which>(which, named[which]);
  if (found !== null) return found;
  const kinds: readonly RunKinds[Which][] = builtInKinds[which];
  const name = named[which]?.name ?? standard;
  const kind = kinds.find((candidate) => candidate.name === name);
  return { kind: kind ?? refuseName(whereOf(which, named), name, kinds) };
}

async function ofFile<Which extends KindName>(
  which: Which,
  part: NamedPart | undefined,
): Promise<Found<ExportedKinds[Which]> | null> {
  if (part === undefined) return null;
  const { name, module, where, folder, remedy } = part;
  if (module === undefined && !isFile(which, name)) return null;
  const file = absolute(folder, module ?? name);
  const kind = await loadKind(which, where, file, remedy);
  const own = "id" in kind ? kind.id : kind.name;
  if (isShipped(which, own)) {
    throw new SoftrlError(
      where,
      `${file} exports a kind of ${which} named ${own}, which softrl has already`,
      {
        expected: "a name of its own",
        remedy: `give it another ${which === "environment" ? "id" : "name"} in the file`,
      },
    );
  }
  const expected = part.expected ?? (module === undefined ? own : name);
  if (own !== expected) {
    throw new SoftrlError(where, `${file} exports another ${which}`, { expected, got: own });
  }
  return { kind, module: file };
}

/** Whether a name is that of a kind that softrl ships. */
const isShipped = (which: KindName, name: string): boolean =>
  which === "environment" ? isBuiltIn(name) : builtInKinds[which].some((kind) => kind.name === name);

const whereOf = (which: KindName, named: NamedParts): string => named[which]?.where ?? kindOptions[which];

const withKind = <Kind>(kinds: readonly Kind[], kind: Kind): readonly Kind[] =>
  kinds.includes(kind) ? kinds : [...kinds, kind];

function refuseName(where: string, name: string, kinds: readonly { readonly name: string }[]): never {
  const names = kinds.map((kind) => kind.name);
  const near = nearMatch(name, names);
  throw new SoftrlError(where, "unknown name", {
    expected: `${names.join(", ")}, or a file such as ./mine.js`,
    got: JSON.stringify(name),
    ...(near === null ? {} : { remedy: `did you mean ${near}?` }),
  });
}
