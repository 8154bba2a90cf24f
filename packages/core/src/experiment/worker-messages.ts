/** What the thread of a run and its workers send each other: plain data, for `postMessage`. */
import type { SharedMemory } from "../algorithms/shared-parameters.js";
import { type ErrorDetails, SoftrlError } from "../base/errors.js";
import { thrownText } from "../base/part-fault.js";
import type { Snapshot } from "../base/snapshot.js";
import type { RunConfig, SectionName } from "./run-config.js";

/** A part of a run that has a name: a section of its configuration. */
export type PartName = Exclude<SectionName, "run">;

/** What a worker receives when it starts. */
export interface WorkerAssignment {
  /** The run's configuration, with a seed for this worker alone. */
  readonly config: RunConfig;
  /** The parts that softrl does not ship, whatever they are named. */
  readonly own: readonly PartName[];
  /** Its number, from 0. */
  readonly worker: number;
  readonly memory: SharedMemory;
  /** The tickets that were drawn in this round, then the progress of each worker: {@link TICKETS}, {@link progressOf}. */
  readonly counters: SharedArrayBuffer;
  /** The state to continue from; null for a start from the seed. */
  readonly state: Snapshot | null;
  /** What the platform's part of the worker needs besides. */
  readonly parts: unknown;
}

/**
 * Where {@link WorkerAssignment.counters} has the number of rollouts that workers have taken in this round; more than the
 * round has where none are left.
 */
export const TICKETS = 0;

/** Where it has a number that changes whenever worker w has stepped its environments. */
export const progressOf = (worker: number): number => 1 + worker;

export type WorkerRequest =
  /** Take tickets, and make a rollout and an update for each, until none below this number is left. */
  | { readonly kind: "round"; readonly live: Snapshot; readonly rollouts: number }
  | { readonly kind: "save" }
  /** Close the environments. */
  | { readonly kind: "close" };

export type WorkerReply =
  | { readonly kind: "done" }
  | { readonly kind: "round"; readonly round: WorkerRound }
  | { readonly kind: "saved"; readonly state: Snapshot }
  | { readonly kind: "failed"; readonly error: SentError };

/** What a worker did in a round. */
export interface WorkerRound {
  /** Rollouts that it made. */
  readonly rollouts: number;
  /** The sum of each figure over the rollouts. */
  readonly figures: Readonly<Record<string, number>>;
  readonly endings: readonly EpisodeEnding[];
}

/** An episode that ended. */
export interface EpisodeEnding {
  /** Its last step, among the steps of the round. */
  readonly t: number;
  /** The number of the environment among those of the worker. */
  readonly environment: number;
  readonly return: number;
  readonly length: number;
}

/** An error as data; `where` is absent from those of other classes than {@link SoftrlError}. */
export interface SentError {
  readonly where?: string;
  readonly what: string;
  readonly details: ErrorDetails;
}

export function sentError(thrown: unknown): SentError {
  if (!(thrown instanceof SoftrlError)) return { what: thrownText(thrown), details: {} };
  return { where: thrown.where, what: thrown.what, details: { ...thrown.details, code: thrown.code } };
}

/** The error that was sent; one of another class names `where` instead. */
export function receivedError(where: string, sent: SentError): SoftrlError {
  return sent.where === undefined
    ? new SoftrlError(where, `failed: ${sent.what}`)
    : new SoftrlError(sent.where, sent.what, sent.details);
}
