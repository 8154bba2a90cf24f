/** Errors of code that a user of the library wrote: a part of a run, a getter, a clock. */
import { describeValue, SoftrlError } from "./errors.js";

/** What was thrown, in words. Never throws, whatever it is. */
export function thrownText(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : describeValue(thrown);
  } catch {
    return "an error that cannot be read";
  }
}

/**
 * The error to throw where a user's code threw: it names the part and has the original as its cause. A
 * {@link SoftrlError} stays as it is.
 */
export function partFault(where: string, what: string, thrown: unknown): unknown {
  if (isSoftrlError(thrown)) return thrown;
  return new SoftrlError(where, `${what} failed: ${thrownText(thrown)}`, {}, { cause: thrown });
}

/** What a user's code returns. @throws SoftrlError that names the part where the code throws, see {@link partFault}. */
export function inPart<Result>(where: string, what: string, run: () => Result): Result {
  try {
    return run();
  } catch (thrown) {
    throw partFault(where, what, thrown);
  }
}

/** {@link inPart} for code that may return a promise. */
export async function inPartAsync<Result>(
  where: string,
  what: string,
  run: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (thrown) {
    throw partFault(where, what, thrown);
  }
}

function isSoftrlError(thrown: unknown): thrown is SoftrlError {
  try {
    return thrown instanceof SoftrlError;
  } catch {
    return false;
  }
}
