/** Which training steps which environments: two at a time would disturb one another without any error. */
import { fail } from "../base/errors.js";
import type { VectorEnvironment } from "../envs/environment.js";

/** A training or an evaluation, as the user of environments. */
export interface EnvironmentUser {
  /** Whether it is in the middle of something. */
  readonly isAtWork: () => boolean;
}

/** How many calls of {@link holdEnvironments} hold them. */
const holds = new WeakMap<VectorEnvironment, number>();
const users = new WeakMap<VectorEnvironment, EnvironmentUser>();

/**
 * Makes `user` the one that uses these environments, from a reset on. The one before cannot go on: its episodes are lost.
 * So trainings may follow one another on the same environments, and one that is dropped blocks nothing.
 * @throws SoftrlError while another user is at work on them.
 */
export function claimEnvironment(where: string, environment: VectorEnvironment, user: EnvironmentUser): void {
  const other = users.get(environment);
  const isInUse = (holds.get(environment) ?? 0) > 0 || other?.isAtWork();
  if (other !== undefined && other !== user && isInUse) {
    fail(where, `the environments ${environment.id} are in use`, {
      expected: "environments that no other training or evaluation is using",
      remedy: "make environments for each, or wait until the other has ended",
    });
  }
  users.set(environment, user);
}

/** @throws SoftrlError when the environments were claimed by another training or evaluation since `user` claimed them. */
export function requireClaim(where: string, environment: VectorEnvironment, user: EnvironmentUser): void {
  const current = users.get(environment);
  if (current === user || current === undefined) return;
  fail(where, `the environments ${environment.id} were reset by another training or evaluation`, {
    expected: "environments that this training alone uses until its end",
    remedy: "make environments for each",
  });
}

/** Does some work between whose parts nobody else may claim these environments. */
export async function holdEnvironments<Result>(
  environments: readonly VectorEnvironment[],
  work: () => Promise<Result>,
): Promise<Result> {
  const count = (by: number) => {
    for (const environment of environments) holds.set(environment, (holds.get(environment) ?? 0) + by);
  };
  count(1);
  try {
    return await work();
  } finally {
    count(-1);
  }
}
