import type { Algorithm, AlgorithmContext, IterationReport } from "../algorithms/algorithm.js";
import { describeValue, fail } from "../base/errors.js";
import type { LiveSettings } from "../base/live-settings.js";
import { inPartAsync } from "../base/part-fault.js";
import { isRecord } from "../base/record.js";
import { plainSnapshot, type Snapshot } from "../base/snapshot.js";
import type { VectorEnvironment } from "../envs/environment.js";
import type { Executor } from "../tensor/executor.js";
import type { Host } from "./host.js";
import type { Oracle } from "./oracle.js";
import { PeriodicEvaluation, requireEvaluationFits } from "./periodic-evaluation.js";
import type { Provenance } from "./provenance.js";
import { savedConfig } from "./run-checkpoint.js";
import { type ExecutorIdentity, executorIdentity, type RunConfig, type RunKinds } from "./run-config.js";
import type { RunStore } from "./run-store.js";
import type { TrainingWorkers } from "./training-workers.js";

/** The parts of a run. The trainer closes none of them. */
export interface TrainerParts extends Pick<Host, "signal" | "pause"> {
  readonly config: RunConfig;
  readonly kinds: RunKinds;
  readonly environment: VectorEnvironment;
  readonly executor: Executor;
  /** Where events and checkpoints go; nowhere if left out. `save()` has the state of such a run, too. */
  readonly store?: RunStore;
  /** Seconds from any origin, for the measured speed alone: no clock decides anything. */
  readonly clock?: () => number;
  /** The machine and the code, for the events that begin and resume the run. */
  readonly provenance?: Provenance;
  /** The class {@link Oracle}, for a run with `oracleEvery`. By value, so that no other run has to load it. */
  readonly oracle?: typeof Oracle;
  /** The workers of an asynchronous algorithm. By value, as the oracle. */
  readonly workers?: TrainingWorkers;
  /** The environments that a run with `evaluateEvery` is evaluated in: others than those of the training. */
  readonly evaluation?: VectorEnvironment;
}

/** The threads of a run that has workers. */
export const threadsOf = (parts: TrainerParts, live: LiveSettings): Pick<AlgorithmContext, "workers"> =>
  parts.workers === undefined ? {} : { workers: parts.workers.threadsOf(parts, live) };

/** The oracle of a run with `oracleEvery`. @throws SoftrlError when the parts have no oracle to make. */
export function makeOracle(
  { config, environment, oracle }: TrainerParts,
  algorithm: Algorithm,
): Oracle | null {
  const { oracleEvery } = config.run;
  if (oracleEvery === 0) return null;
  if (oracle !== undefined) return new oracle(config, environment, algorithm);
  return fail("Trainer", "a run with oracleEvery needs an oracle", {
    expected: "0 for a run without",
    got: `oracleEvery ${oracleEvery}`,
    remedy: "pass the class: oracle: Oracle",
  });
}

/** The evaluation of a run with `evaluateEvery`. @throws SoftrlError when its environments do not fit the run. */
export function makeEvaluation(
  { config, environment, evaluation, signal, pause }: TrainerParts,
  algorithm: Algorithm,
  live: LiveSettings,
  store: RunStore,
): PeriodicEvaluation | null {
  requireEvaluationFits(config, environment, evaluation);
  if (evaluation === undefined) return null;
  const host = { ...(signal === undefined ? {} : { signal }), ...(pause === undefined ? {} : { pause }) };
  return new PeriodicEvaluation({ config, environment: evaluation, algorithm, live, store, ...host });
}

/** The state of a run's environments; null where they cannot save it. @throws SoftrlError when what they save is not data. */
export async function environmentState(id: string, environment: VectorEnvironment): Promise<Snapshot | null> {
  const saved = await inPartAsync(id, "save", () => environment.save());
  return saved === null ? null : plainSnapshot(id, saved);
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 1;

/** @throws SoftrlError for a report that no iteration can have: a run would never end. */
export function requireReport(algorithm: string, report: IterationReport): IterationReport {
  const steps: unknown = report?.steps;
  const updates: unknown = report?.updates ?? 1;
  if (!isCount(steps) || !isCount(updates) || typeof report.figures !== "object") {
    fail(algorithm, "iterate returned an invalid report", {
      expected:
        "{ steps, figures, updates? }: an integer of at least 1, numbers by name, and an integer of at least 1",
      got: describeValue(report),
      remedy: "return the environment steps that it took, all environments together",
    });
  }
  return report;
}

/** @throws SoftrlError unless both numbers of environments are equal. */
export function requireSame(what: string, expected: number, got: number): void {
  if (expected === got) return;
  fail("Trainer", `${what} have the wrong size`, {
    expected: `${expected} environments`,
    got: String(got),
    remedy: "make them with the configuration's count",
  });
}

/** @throws SoftrlError unless the executor computes the same bytes as the configuration's. */
export function requireExecutor({ run }: RunConfig, executor: Executor): void {
  requireSameExecutor("Trainer", run, executorIdentity(executor));
}

function requireSameExecutor(
  where: string,
  run: { readonly [Name in keyof ExecutorIdentity]?: unknown },
  other: ExecutorIdentity,
): void {
  const text = ({ executor, instructionSet, precision }: typeof run) =>
    [executor, instructionSet, precision].filter((part) => part !== undefined).join(" ");
  if (text(other) === text(run)) return;
  fail(where, "the run belongs to another executor", {
    expected: text(run),
    got: text(other),
    remedy: "use the executor that the run was started with: another one computes other bytes",
  });
}

/** The settings in which two configurations differ, as `section.name value`. */
function differences(one: RunConfig, other: unknown): { readonly expected: string; readonly got: string } {
  const flat = (config: unknown) =>
    new Map(
      Object.entries(entriesOf(config)).flatMap(([section, values]) =>
        Object.entries(entriesOf(values)).map(([name, value]) => [
          `${section}.${name}`,
          JSON.stringify(value),
        ]),
      ),
    );
  const [first, second] = [flat(one), flat(other)];
  const names = [...new Set([...first.keys(), ...second.keys()])].filter(
    (name) => first.get(name) !== second.get(name),
  );
  const text = (values: ReadonlyMap<string, string>) =>
    names.map((name) => `${name} ${values.get(name) ?? "none"}`).join(", ");
  return { expected: text(first), got: text(second) };
}

/** @throws SoftrlError unless a run of this configuration can continue from the snapshot. */
export function requireResumable(where: string, snapshot: Snapshot, config: RunConfig): void {
  const saved = savedConfig(where, snapshot);
  if (JSON.stringify(saved) !== JSON.stringify(config)) {
    requireSameExecutor(where, entriesOf(entriesOf(saved).run), config.run);
    fail(where, "the checkpoint is of another run", {
      ...differences(config, saved),
      remedy: "make the trainer with the checkpoint's own configuration",
    });
  }
  if (snapshot.environment === undefined) {
    fail(where, "the snapshot is of a policy alone", {
      remedy: "restore the run's checkpoint; loadPolicy reads a policy",
    });
  }
  if (snapshot.environment === null) {
    fail(where, "the checkpoint has no environment state", {
      remedy: `${config.environment.id} cannot save its state, so its runs cannot be continued`,
    });
  }
}

const entriesOf = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {});
