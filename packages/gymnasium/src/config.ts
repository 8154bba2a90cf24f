import { availableParallelism } from "node:os";
import { type AtariProtocol, atariProtocols, requireProtocolFits, SoftrlError } from "softrl";
import { isAtari } from "./python.js";

/** Keyword arguments for `gymnasium.make`: JSON scalars. */
export type GymnasiumOptions = Readonly<Record<string, string | number | boolean | null>>;

/** How the child passes observations to this process: in shared memory or through its pipes. */
export const bridgeTransports = ["shared memory", "stdio"] as const;
export type BridgeTransport = (typeof bridgeTransports)[number];

export interface GymnasiumConfig {
  /** A registered Gymnasium id, for instance `ALE/Pong-v5`, or `my_module:MyGame-v0` for one of your own. */
  readonly id: string;
  /** The number of environments S. */
  readonly size: number;
  /** Atari only: true gives the rewards and episodes for training; false plays whole games with unclipped rewards. */
  readonly training: boolean;
  /** Atari only: the rules; `classic` by default. */
  readonly protocol?: AtariProtocol;
  /** The Python interpreter; by default the one that {@link findPython} finds. */
  readonly python?: string;
  /** Keyword arguments for `gymnasium.make`, for instance `{ is_slippery: false }`. */
  readonly options?: GymnasiumOptions;
  /** The time limit for one answer; SOFTRL_TIMEOUT by default, or 60. */
  readonly timeoutSeconds?: number;
  /**
   * The number of Python processes that share the environments. The default is one; for Atari, one per core, or two per
   * core if two halves step independently. Results do not depend on it.
   */
  readonly processes?: number;
  /**
   * The number of cores that the default of `processes` counts: all by default. Where several learners have environments
   * of their own at the same time, those of each are faster with its share. Results do not depend on it.
   */
  readonly cores?: number;
  /** Shared memory by default, if it is available. Results do not depend on it. */
  readonly transport?: BridgeTransport;
  /**
   * Whether the two halves of the environments may step independently, so that the network evaluates one while the
   * other steps; true by default. It needs an even number of environments and of processes, and does not help if the
   * executor's threads already use every core. Results do not depend on it.
   */
  readonly overlap?: boolean;
  /**
   * Whether `restore` may read Python pickles, which can run any code; false by default. The states of all environments
   * but Atari's are pickles. Set it only where you know who wrote the states.
   */
  readonly trustStates?: boolean;
}

/** In seconds: setTimeout cannot wait longer than 2³¹ − 1 ms. */
const LONGEST_TIMEOUT = 2147483;
/** As many as the setting `environment.count` takes. */
const MOST_ENVIRONMENTS = 4096;
const MOST_PROCESSES = 256;
/** Fewer environments do not justify another Atari process, which takes a second and 100 MB to start. */
const FEWEST_ATARI = 4;
const MOST_ATARI_PROCESSES = 16;

/** A configuration with all defaults filled in, except the interpreter. */
export type CompleteConfig = Required<Omit<GymnasiumConfig, "python" | "cores">>;

/** Fills in the defaults. @throws SoftrlError for an invalid value. */
export function completeConfig(config: GymnasiumConfig): CompleteConfig {
  const { python: _, cores = availableParallelism(), ...given } = config;
  const { id, size, overlap = true } = given;
  if (!(Number.isSafeInteger(cores) && cores >= 1)) refuse("cores", "a positive integer", cores);
  const complete: CompleteConfig = {
    protocol: "classic",
    options: {},
    timeoutSeconds: timeoutVariable() ?? 60,
    processes: isAtari(id) ? atariProcesses(size, overlap, cores) : 1,
    transport: "shared memory",
    overlap,
    trustStates: false,
    ...defined(given),
  };
  validate(complete);
  return complete;
}

function atariProcesses(size: number, overlap: boolean, cores: number): number {
  const halves = overlap && size % 2 === 0 ? 2 : 1;
  const most = Math.min(cores * halves, Math.floor(size / FEWEST_ATARI), MOST_ATARI_PROCESSES);
  return Math.max(1, most - (most % halves));
}

/** A copy without the properties that are undefined. */
function defined<Config extends object>(config: Config): Config {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined)) as Config;
}

/** The time limit in the environment variable SOFTRL_TIMEOUT, if set. */
function timeoutVariable(): number | undefined {
  const text = process.env.SOFTRL_TIMEOUT;
  if (text === undefined || text === "") return undefined;
  const seconds = Number(text);
  if (seconds > 0 && seconds <= LONGEST_TIMEOUT) return seconds;
  throw new SoftrlError("SOFTRL_TIMEOUT", "not a valid value", {
    expected: `a number of seconds in (0, ${LONGEST_TIMEOUT}]`,
    got: JSON.stringify(text),
  });
}

function refuse(name: string, expected: string, got: unknown): never {
  throw new SoftrlError("createGymnasiumEnvironment", `${name} is not valid`, {
    expected,
    got: typeof got === "string" ? `"${got}"` : String(got),
  });
}

function validate(config: CompleteConfig): void {
  const {
    id,
    size,
    training,
    protocol,
    options,
    timeoutSeconds,
    processes,
    transport,
    overlap,
    trustStates,
  } = config;
  if (typeof id !== "string" || id === "") refuse("id", "a Gymnasium id such as ALE/Pong-v5", id);
  if (!(Number.isSafeInteger(size) && size >= 1 && size <= MOST_ENVIRONMENTS)) {
    refuse("size", `an integer in [1, ${MOST_ENVIRONMENTS}]`, size);
  }
  if (typeof training !== "boolean") refuse("training", "true or false", training);
  if (!(timeoutSeconds > 0 && timeoutSeconds <= LONGEST_TIMEOUT)) {
    refuse("timeoutSeconds", `a number in (0, ${LONGEST_TIMEOUT}]`, timeoutSeconds);
  }
  if (!(Number.isSafeInteger(processes) && processes >= 1 && processes <= MOST_PROCESSES)) {
    refuse("processes", `an integer in [1, ${MOST_PROCESSES}]`, processes);
  }
  if (!atariProtocols.includes(protocol)) refuse("protocol", atariProtocols.join(" or "), protocol);
  requireProtocolFits("createGymnasiumEnvironment", id, protocol);
  if (!bridgeTransports.includes(transport)) refuse("transport", bridgeTransports.join(" or "), transport);
  if (typeof overlap !== "boolean") refuse("overlap", "true or false", overlap);
  if (typeof trustStates !== "boolean") refuse("trustStates", "true or false", trustStates);
  for (const [name, value] of Object.entries(options)) {
    if (value !== null && !["string", "number", "boolean"].includes(typeof value)) {
      refuse(`option ${name}`, "a string, a number, true, false or null", value);
    }
    if (typeof value === "number" && !Number.isFinite(value)) {
      refuse(`option ${name}`, "a finite number", value);
    }
  }
}
