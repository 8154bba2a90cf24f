import { SoftrlError } from "../../base/errors.js";

/** Most threads of an executor, its caller among them: as many as kernels/team.h has room for. */
export const mostThreads = 64;

/**
 * The number of threads that someone wants: a number, or the text of the environment variable SOFTRL_THREADS; 1 if
 * nothing is said. No number that comes out depends on it.
 * @throws SoftrlError unless it is an integer in [1, {@link mostThreads}].
 */
export function threadCount(wanted: number | string | undefined): number {
  if (wanted === undefined || wanted === "") return 1;
  const threads = Number(wanted);
  if (Number.isInteger(threads) && threads >= 1 && threads <= mostThreads) return threads;
  throw new SoftrlError("SOFTRL_THREADS", "the number of threads is out of range", {
    expected: `an integer in [1, ${mostThreads}]`,
    got: String(wanted),
  });
}
