import { describeValue, type ErrorDetails, SoftrlError } from "softrl";
import { loadedFiles } from "./loaded-files.js";
import { ownFault } from "./own-fault.js";

/** A fault in a file that exports a part of a run. Its cause is the error that the file's code threw. */
export class FileFault extends SoftrlError {}

const FIX = "fix the file";
const SHOW_STACK = "SOFTRL_DEBUG=1 prints the stack";

/** Whether the user wants to see the stack of a fault in a file. */
export const showsStack = (): boolean => (process.env.SOFTRL_DEBUG ?? "") !== "";

/**
 * What the code of a file returns.
 * @param part what runs: `make`
 * @throws SoftrlError that names the file and the part where the code throws another error.
 */
export function inFile<Result>(file: string, part: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw isSoftrlError(error) ? error : faultOf(file, `${part} failed`, error);
  }
}

/** Throws that a part of a file is not what it must be; `got` is the value that came. */
export function refuseInFile(
  file: string,
  what: string,
  expected: string,
  got: unknown,
  remedy = FIX,
): never {
  throw new FileFault(file, what, { expected, got: describeValue(got), remedy });
}

/**
 * An error as one of the files that parts were loaded from, where there are any: it is theirs more likely than softrl's.
 * Errors with a message for the user stay as they are.
 */
export function blameFiles(error: unknown): unknown {
  const files = loadedFiles();
  if (files.length === 0) return error;
  if (isSoftrlError(error)) return withPlace(error, files);
  const own = ownFault(stackOf(error), files);
  if (own !== null) return faultOf(own.place, `${own.part ?? "the code"} failed`, error);
  return faultOf(files.join(" or "), "a part of the run failed", error);
}

/** An error that names a part of a run, with the place in the file where the part's code threw. */
function withPlace(error: unknown, files: readonly string[]): unknown {
  if (!(error instanceof SoftrlError) || error instanceof FileFault) return error;
  const { cause, message } = error;
  const own = cause === undefined || isSoftrlError(cause) ? null : ownFault(stackOf(cause), files);
  if (own === null) return error;
  return new FileFault(own.place, message.replace(/\.$/, ""), { remedy: `${FIX}; ${SHOW_STACK}` }, { cause });
}

function faultOf(where: string, what: string, error: unknown): FileFault {
  const details: ErrorDetails = { got: errorText(error), remedy: `${FIX}; ${SHOW_STACK}` };
  return new FileFault(where, what, details, { cause: error });
}

/** The first line of an error, `TypeError: no such thing`. Never throws, whatever was thrown. */
export function errorText(error: unknown): string {
  try {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : describeValue(error);
    return text.split("\n")[0];
  } catch {
    return "an error that cannot be shown";
  }
}

/** The stack of an error, or what there is instead. Never throws. */
export function stackOf(error: unknown): string {
  try {
    if (error instanceof Error && typeof error.stack === "string") return error.stack;
  } catch {
    // The error is an object of the file's own.
  }
  return errorText(error);
}

/** Never throws, whatever was thrown. */
export function isSoftrlError(error: unknown): boolean {
  try {
    return error instanceof SoftrlError;
  } catch {
    return false;
  }
}
