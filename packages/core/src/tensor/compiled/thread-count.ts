import { SoftrlError } from "../../base/errors.js";

/**
 * The maximum number of threads of an executor, the calling thread included; kernels/team.h has the same
 * limit.
 */
export const maxThreads = 64;

/**
 * Parses the number of threads: a number, or the text of the environment variable SOFTRL_THREADS; defaults to
 * 1. Results do not depend on it.
 * @throws SoftrlError unless it is an integer in [1, {@link maxThreads}].
 */
export function threadCount(wanted: number | string | undefined): number {
  if (wanted === undefined || wanted === "") return 1;
  const threads = Number(wanted);
  if (Number.isInteger(threads) && threads >= 1 && threads <= maxThreads) return threads;
  throw new SoftrlError("SOFTRL_THREADS", "the number of threads is out of range", {
    expected: `an integer in [1, ${maxThreads}]`,
    got: String(wanted),
  });
}
