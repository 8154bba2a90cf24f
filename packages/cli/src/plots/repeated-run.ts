import { oneLine, SoftrlError } from "softrl";

/** What tells a run from the others of a figure. */
export interface RunName {
  readonly variant: string;
  readonly environment: string;
  readonly seed: string;
}

/**
 * The indices of the first two runs of one variant, environment and seed, which are not two seeds: a run that counts twice
 * makes intervals too narrow. Null where there are none.
 */
export function repeatedRun(runs: readonly RunName[]): readonly [first: number, second: number] | null {
  const seen = new Map<string, number>();
  for (const [i, { variant, environment, seed }] of runs.entries()) {
    const key = JSON.stringify([variant, environment, seed]);
    const first = seen.get(key);
    if (first !== undefined) return [first, i];
    seen.set(key, i);
  }
  return null;
}

/** @throws SoftrlError, always: this run is there a second time. */
export function refuseRepeated(where: string, run: RunName, got?: string): never {
  const { variant, environment, seed } = run;
  throw new SoftrlError(where, `${variant} on ${environment} with seed ${seed} appears twice`, {
    expected: "one run for each variant, environment and seed",
    ...(got !== undefined && { got: oneLine(got, 500) }),
    remedy: "leave one of them out",
  });
}
