/** What a run's checkpoint holds besides its state: how to read it, and how to rebuild its policy. */
import { type Bodies, hasQOutput, type Policy, type PolicyForm } from "../algorithms/policy.js";
import { describeValue, type ErrorCode, fail, SoftrlError } from "../base/errors.js";
import { MOST_NESTED, nestsTooDeep } from "../base/nesting.js";
import { oneLine } from "../base/one-line.js";
import { inPart } from "../base/part-fault.js";
import { type Snapshot, snapshotNumber, snapshotSection } from "../base/snapshot.js";
import { actionCount, type Space, validateSpace } from "../envs/spaces.js";
import { logPrior } from "../math/units.js";
import { decodeCheckpoint } from "./checkpoint.js";
import { version } from "./version.js";

/** The format of a run's checkpoint; 3 has sections, named parameters, spaces, and how observations are scaled. */
export const RUN_FORMAT = 3;

/**
 * A checkpoint's bytes, decoded.
 * @throws SoftrlError when they are not a checkpoint of a training run, or of another format.
 */
export function readRunSnapshot(where: string, bytes: Uint8Array): Snapshot {
  const snapshot = decodeCheckpoint(where, bytes);
  requireFormat(where, snapshot);
  return snapshot;
}

/** The configuration in a checkpoint, as JSON that is not checked yet. */
export function savedConfig(where: string, snapshot: Snapshot): unknown {
  requireFormat(where, snapshot);
  return savedJson(where, snapshot, "config");
}

function requireFormat(where: string, { format, version: writer }: Snapshot): void {
  if (format === RUN_FORMAT) return;
  fail(where, "not a checkpoint of a training run that this version can read", {
    expected: `format ${RUN_FORMAT}`,
    got: `format ${String(format)}${typeof writer === "string" ? ` of softrl ${writer}` : ""}`,
    remedy: `use a checkpoint of softrl ${version}, or the version that wrote this one`,
  });
}

/**
 * An error about what a checkpoint holds, as the checkpoint of another version has it: then that is the likely cause.
 * All other errors come back unchanged.
 * @param where what errors about the checkpoint name
 */
export function versionFault(where: string, { version: writer }: Snapshot, error: unknown): unknown {
  if (!(error instanceof SoftrlError) || !error.where.startsWith(where)) return error;
  if (typeof writer !== "string" || writer === version || !causedByVersion.includes(error.code)) return error;
  const remedy = `the checkpoint is of softrl ${oneLine(writer, 40)}, this is ${version}: use the version that wrote it`;
  return new SoftrlError(error.where, error.what, { ...error.details, remedy }, { cause: error });
}

const causedByVersion: readonly ErrorCode[] = ["bad-input", "unknown-setting", "unknown-environment"];

/** A policy's spaces and form; its parameters are a section of their own. */
export function policyDescription({ observationSpace, actionSpace, form }: Policy): Snapshot {
  const json = (name: string, space: Space) =>
    inPart("policy", `writing the ${name} as JSON`, () => JSON.stringify(space));
  return {
    observationSpace: json("observationSpace", observationSpace),
    actionSpace: json("actionSpace", actionSpace),
    ...(form === null ? {} : { bodies: form.bodies, tau: form.tau, logPrior: form.logPrior.slice() }),
  };
}

/** The spaces and the form of a checkpoint's policy; a form of null needs the algorithm. */
export function savedPolicy(
  where: string,
  snapshot: Snapshot,
): Pick<Policy, "observationSpace" | "actionSpace"> & { readonly form: PolicyForm | null } {
  const saved = snapshotSection(where, snapshot, "policy");
  const space = (name: string): Space => {
    const json = savedJson(where, saved, name);
    if (!mayBeSpace(json)) return fail(where, `${name} is not a space`, { got: describeValue(json) });
    validateSpace(where, name, json);
    return json;
  };
  const spaces = { observationSpace: space("observationSpace"), actionSpace: space("actionSpace") };
  const { bodies, logPrior: prior } = saved;
  if (bodies === undefined) return { ...spaces, form: null };
  if (!isBodies(bodies)) {
    return fail(where, "the policy's bodies are not valid", {
      expected: allBodies.join(", "),
      got: describeValue(bodies),
    });
  }
  const count = actionCount(spaces.actionSpace);
  if (!(prior instanceof Float64Array) || prior.length !== count || !prior.every(Number.isFinite)) {
    fail(where, "the policy's logPrior is not valid", { expected: `${count} finite float64 numbers` });
  }
  const tau = saved.tau === null ? null : snapshotNumber(where, saved, "tau");
  const isValid = hasQOutput(bodies) ? tau !== null && tau >= 0 : tau === null || tau > 0;
  if (!isValid) {
    fail(where, "the policy's tau is not valid", {
      expected: hasQOutput(bodies) ? "a number in [0, ∞)" : "null or a number in (0, ∞)",
      got: String(tau),
    });
  }
  return { ...spaces, form: { bodies, tau, logPrior: logPrior(prior) } };
}

const allBodies: readonly Bodies[] = ["shared", "separate", "two-networks", "q", "dueling-q"];
const isBodies = (value: unknown): value is Bodies => allBodies.some((bodies) => bodies === value);

/** Whether JSON has the types that {@link validateSpace} relies on; it checks the rest. */
function mayBeSpace(json: unknown): json is Space {
  if (typeof json !== "object" || json === null) return false;
  const isBound = (bound: unknown) =>
    typeof bound === "number" || (Array.isArray(bound) && bound.every(Number.isFinite));
  return (
    !("kind" in json && json.kind === "box") ||
    ("low" in json && "high" in json && isBound(json.low) && isBound(json.high))
  );
}

function savedJson(where: string, snapshot: Snapshot, name: string): unknown {
  const text = snapshot[name];
  if (typeof text === "string") {
    try {
      const json: unknown = JSON.parse(text);
      if (!nestsTooDeep(json)) return json;
    } catch {
      // Refused below: text that does not parse is not JSON, and what nests so deep cannot be written again.
    }
  }
  return fail(where, `the checkpoint's ${name} is damaged`, {
    expected: `JSON of at most ${MOST_NESTED} levels`,
    got: describeValue(text),
  });
}
