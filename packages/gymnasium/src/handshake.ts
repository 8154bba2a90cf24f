import { type Box, type Discrete, SoftrlError, type Space, validateSpace } from "softrl";

const PROTOCOL = 1;

/** The versions that the child runs with, to be recorded with a run. */
export interface GymnasiumVersions {
  readonly python: string;
  readonly gymnasium: string;
  readonly numpy: string;
  /** Null if the Arcade Learning Environment is not installed. */
  readonly alePy: string | null;
}

/** Reads the versions in the child's first frame. */
export function readHello(where: string, payload: Uint8Array): GymnasiumVersions {
  const hello = readObject(where, "hello", payload);
  if (hello.get("protocol") !== PROTOCOL) {
    broken(where, `protocol ${PROTOCOL}`, String(hello.get("protocol")));
  }
  const version = (name: string) => String(hello.get(name));
  const alePy = hello.get("alePy");
  return {
    python: version("python"),
    gymnasium: version("gymnasium"),
    numpy: version("numpy"),
    alePy: typeof alePy === "string" ? alePy : null,
  };
}

/** Reads the reply to `make`. */
export function readMade(
  where: string,
  payload: Uint8Array,
): { observationSpace: Box; actionSpace: Discrete; rawGame: string | null } {
  const made = readObject(where, "make", payload);
  const observationSpace = readSpace(where, "observationSpace", made.get("observationSpace"));
  const actionSpace = readSpace(where, "actionSpace", made.get("actionSpace"));
  const rawGame = made.get("rawGame");
  if (observationSpace.kind !== "box") return broken(where, "a box observation", observationSpace.kind);
  if (actionSpace.kind !== "discrete") return broken(where, "discrete actions", actionSpace.kind);
  return { observationSpace, actionSpace, rawGame: typeof rawGame === "string" ? rawGame : null };
}

function readSpace(where: string, name: string, value: unknown): Space {
  const space = entriesOf(value);
  const [kind, n, shape, dtype] = ["kind", "n", "shape", "dtype"].map((key) => space.get(key));
  const [low, high] = ["low", "high"].map((key) => space.get(key));
  const read: Space | undefined =
    kind === "discrete" && typeof n === "number"
      ? { kind, n }
      : kind === "box" &&
          isNumbers(shape) &&
          (dtype === "float32" || dtype === "uint8") &&
          isBound(low) &&
          isBound(high)
        ? { kind, shape, dtype, low, high }
        : undefined;
  if (read === undefined)
    return broken(where, `a space as ${name}`, String(JSON.stringify(value)).slice(0, 200));
  validateSpace(where, name, read);
  return read;
}

function readObject(where: string, operation: string, payload: Uint8Array): Map<string, unknown> {
  const text = new TextDecoder().decode(payload);
  try {
    return entriesOf(JSON.parse(text));
  } catch (error) {
    return broken(where, `JSON in the reply to ${operation}`, `"${text.slice(0, 80)}"`, error);
  }
}

const entriesOf = (value: unknown): Map<string, unknown> =>
  new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === "number");

const isBound = (value: unknown): value is number | readonly number[] =>
  typeof value === "number" || isNumbers(value);

function broken(where: string, expected: string, got: string, cause?: unknown): never {
  throw new SoftrlError(where, "the Python process broke the protocol", { expected, got }, { cause });
}
