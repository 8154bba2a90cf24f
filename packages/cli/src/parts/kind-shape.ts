import {
  type AlgorithmKind,
  type EnvironmentKind,
  environmentFamilies,
  isRecord,
  type NetworkKind,
  type OptimiserKind,
} from "softrl";

/** The parts of a run that a file can export. */
export interface ExportedKinds {
  readonly algorithm: AlgorithmKind;
  readonly environment: EnvironmentKind;
  readonly network: NetworkKind;
  readonly optimiser: OptimiserKind;
}

export type KindName = keyof ExportedKinds;

export const kindNames: readonly KindName[] = ["algorithm", "environment", "network", "optimiser"];

type Part = (value: unknown) => boolean;

const isText: Part = (value) => typeof value === "string" && value.trim() !== "";
const isFunction: Part = (value) => typeof value === "function";
const isSettings: Part = (value) => isRecord(value) && Object.values(value).every(isSetting);
const optionKinds: readonly unknown[] = ["number", "boolean", "text"];
const isOptions: Part = (value) =>
  isRecord(value) && Object.values(value).every((kind) => optionKinds.includes(kind));

const families: readonly unknown[] = [undefined, ...environmentFamilies];
const isFamily: Part = (value) => families.includes(value);

const reads: readonly unknown[] = [undefined, "vectors", "images"];
const isReads: Part = (value) => reads.includes(value);

/** The parts of each kind. */
const shapes: Readonly<Record<KindName, Readonly<Record<string, Part>>>> = {
  algorithm: { name: isText, title: isText, about: isText, settings: isSettings, make: isFunction },
  environment: { id: isText, about: isText, options: isOptions, make: isFunction, family: isFamily },
  network: { name: isText, about: isText, settings: isSettings, body: isFunction, reads: isReads },
  optimiser: { name: isText, about: isText, settings: isSettings, make: isFunction },
};

/** The names of the parts that a kind must have. */
export const partsOf = (which: KindName): readonly string[] => required(shapes[which]);

const required = (shape: Readonly<Record<string, Part>>): readonly string[] =>
  Object.keys(shape).filter((part) => !shape[part](undefined));

/** The parts that a value lacks, or has with another type, to be this kind; empty where it is one. */
export function missingParts(which: KindName, value: unknown): readonly string[] {
  const shape = shapes[which];
  if (!isRecord(value)) return required(shape);
  return Object.keys(shape).filter((part) => !shape[part](value[part]));
}

/** What a part of a kind must be, where its name does not say it; null for all others. */
export function partText(part: string): string | null {
  const kinds = optionKinds.map((kind) => JSON.stringify(kind)).join(", ");
  if (part === "family") return "one of vector, table, atari and minatar, or nothing";
  if (part === "reads") return "vectors, images, or nothing";
  return part === "options" ? `options by name, each with one of the values ${kinds}` : null;
}

/** Whether a value has the parts of this kind. */
export function isKind<Which extends KindName>(which: Which, value: unknown): value is ExportedKinds[Which] {
  return missingParts(which, value).length === 0;
}

function isSetting(value: unknown): boolean {
  return (
    isRecord(value) &&
    isText(value.about) &&
    isRecord(value.defaults) &&
    [value.check, value.fromText, value.toText].every(isFunction)
  );
}
