import { type SettingEffect, type VectorEnvironment, validateSpace } from "softrl";
import { inFile, refuseInFile } from "./file-fault.js";
import type { ExportedKinds, KindName } from "./kind-shape.js";

/** A kind whose functions name the file where they throw, or return something else. */
export function guarded<Which extends KindName>(
  which: Which,
  file: string,
  kind: ExportedKinds[Which],
): ExportedKinds[Which] {
  return guards[which](file, kind);
}

/** Each reads what it needs of a kind once: getters may differ from one time to the next. */
const guards: {
  readonly [Which in KindName]: (file: string, kind: ExportedKinds[Which]) => ExportedKinds[Which];
} = {
  algorithm: (file, kind) => {
    const { name, title, about, settings } = kind;
    const hasDefaults = kind.defaults !== undefined;
    const hasEffects = kind.effects !== undefined;
    return {
      name,
      title,
      about,
      settings,
      ...(hasDefaults
        ? {
            defaults: (family) => {
              const defaults = inFile(file, "defaults", () => kind.defaults?.(family));
              if (isObject(defaults)) return defaults;
              const what = "defaults did not return defaults by section";
              return refuseInFile(file, what, "an object such as { run: { steps: 1000 } }", defaults);
            },
          }
        : {}),
      ...(hasEffects
        ? {
            effects: (values) => {
              const effects: unknown = inFile(file, "effects", () => kind.effects?.(values));
              if (isEffects(effects)) return effects;
              const what = "effects did not return which settings are read";
              return refuseInFile(file, what, '[["penalty", true, "a penalised loss"]]', effects);
            },
          }
        : {}),
      make: (context, current) => {
        const made = inFile(file, "make", () => kind.make(context, current));
        const lacking = missing(made, {
          policy: "object",
          iterate: "function",
          save: "function",
          restore: "function",
        });
        if (lacking === null) return made;
        return refuseInFile(
          file,
          `make did not return an algorithm: ${lacking} is missing`,
          "an object with policy, iterate, save, restore",
          made,
        );
      },
    };
  },
  environment: (file, kind) => {
    const { id, about, options, family } = kind;
    return {
      id,
      about,
      options,
      ...(family === undefined ? {} : { family }),
      make: (size, values) => {
        const made = inFile(file, "make", () => kind.make(size, values));
        requireEnvironments(file, made);
        return made;
      },
    };
  },
  network: (file, kind) => {
    const { name, about, settings, reads } = kind;
    return {
      name,
      about,
      settings,
      ...(reads === undefined ? {} : { reads }),
      body: (values) => {
        const body = inFile(file, "body", () => kind.body(values));
        if (typeof body !== "function") {
          refuseInFile(
            file,
            "body did not return layers",
            "layers such as sequential(flatten, dense(64))",
            body,
          );
        }
        return (shape) => {
          const layer = inFile(file, "body", () => body(shape));
          if (isObject(layer)) return layer;
          return refuseInFile(file, "the body's layers did not return a layer", "an object", layer);
        };
      },
    };
  },
  optimiser: (file, kind) => {
    const { name, about, settings } = kind;
    return {
      name,
      about,
      settings,
      make: (values) => {
        const made = inFile(file, "make", () => kind.make(values));
        if (missing(made, { step: "function" }) === null) return made;
        return refuseInFile(file, "make did not return an optimiser", "an object with step", made);
      },
    };
  },
};

const isEffects = (value: unknown): value is readonly SettingEffect[] =>
  Array.isArray(value) && value.every(Array.isArray);

function requireEnvironments(file: string, made: VectorEnvironment): void {
  const parts = {
    observations: "object",
    reset: "function",
    step: "function",
    save: "function",
    close: "function",
  };
  const what = "make did not return environments that step together";
  if (missing(made, parts) !== null || !("size" in made)) {
    const remedy = 'wrap a single one: vectorize("id", () => new MyEnvironment(), size)';
    refuseInFile(file, what, "a VectorEnvironment", made, remedy);
  }
  for (const name of ["observationSpace", "actionSpace"] as const) {
    if (!isObject(made[name])) {
      const expected = '{ kind: "box", … } or { kind: "discrete", n }';
      refuseInFile(file, `the environments have no ${name}`, expected, made[name]);
    }
    inFile(file, name, () => validateSpace(file, name, made[name]));
  }
}

/** The first part that a value lacks, or has with another type; null where it has them all. */
function missing(value: unknown, parts: Readonly<Record<string, string>>): string | null {
  if (!isObject(value)) return Object.keys(parts)[0];
  const lacking = Object.entries(parts).find(([name, type]) => {
    const part: unknown = Reflect.get(value, name);
    return part === null || typeof part !== type;
  });
  return lacking === undefined ? null : lacking[0];
}

const isObject = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";
