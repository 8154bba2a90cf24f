import { oneLine } from "./one-line.js";

/**
 * What kind of error it is, for programs. Tell errors apart by their code, never by their message.
 *
 * - `bad-input`: an argument, setting or file is invalid, or a call came at the wrong time. The default.
 * - `unknown-setting`: there is no setting or option of this name.
 * - `unknown-environment`: there is no environment of this name.
 * - `cannot-make`: the environment exists, but cannot be made with these options on this machine.
 * - `no-python`: there is no Python with the packages needed.
 * - `out-of-memory`: the arrays do not fit in memory. `details.bytes` is the number of bytes needed.
 * - `diverged`: the numbers of a training run are no longer finite.
 * - `worker-lost`: a thread of a training run has failed, left or stopped answering, or the process of its environments has
 *   ended.
 */
export type ErrorCode = (typeof errorCodes)[number];

const errorCodes = [
  "bad-input",
  "unknown-setting",
  "unknown-environment",
  "cannot-make",
  "no-python",
  "out-of-memory",
  "diverged",
  "worker-lost",
] as const;

/** Whether `value` is an error code, for codes that come from another process. */
export const isErrorCode = (value: unknown): value is ErrorCode => errorCodes.some((code) => code === value);

/** The parts of an error: three for the reader of its message, then those for programs. */
export interface ErrorDetails {
  /** What would have been right. */
  readonly expected?: string;
  /** What came instead. */
  readonly got?: string;
  /** What the reader can do. */
  readonly remedy?: string;
  /** `bad-input` unless set. */
  readonly code?: ErrorCode;
  /** How much memory was needed, with the code `out-of-memory`. */
  readonly bytes?: number;
  /** The name of the invalid setting, for a caller who knows where its value came from. */
  readonly setting?: string;
}

/** The most characters of a part that mostly repeats input, of one that mostly explains, and of a message. */
const mostEchoed = 300;
const mostExplained = 800;
const mostTold = 1500;

/**
 * The one error class of softrl: bad input, with the message "where: what, expected …, got …; remedy".
 *
 * Everything that a caller can cause is a `SoftrlError`; any other error is a fault of ours.
 *
 * A message is one line of at most 1,500 characters, whatever input it repeats: `where` and `got` are cut after 300
 * characters, the other parts after 800, and terminal commands and control characters are left out.
 */
export class SoftrlError extends Error {
  /** The function, option or file that refused. */
  readonly where: string;
  /** What is wrong: the message without `where` and the details. */
  readonly what: string;
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(where: string, what: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    const place = oneLine(where, mostEchoed);
    const fault = oneLine(what, mostExplained);
    const parts = boundedDetails(details);
    // An undefined cause would be printed as one.
    super(errorMessage(place, fault, parts), options?.cause === undefined ? undefined : options);
    this.name = "SoftrlError";
    this.where = place;
    this.what = fault;
    this.code = details.code ?? "bad-input";
    this.details = parts;
  }
}

function boundedDetails(details: ErrorDetails): ErrorDetails {
  const { expected, got, remedy } = details;
  return {
    ...details,
    ...(expected === undefined ? {} : { expected: oneLine(expected, mostExplained) }),
    ...(got === undefined ? {} : { got: oneLine(got, mostEchoed) }),
    ...(remedy === undefined ? {} : { remedy: oneLine(remedy, mostExplained) }),
  };
}

function errorMessage(where: string, what: string, { expected, got, remedy }: ErrorDetails): string {
  let message = `${where}: ${what}`;
  if (expected !== undefined) message += `, expected ${expected}`;
  if (got !== undefined) message += `, got ${got}`;
  if (remedy !== undefined) message += `; ${remedy}`;
  message = oneLine(message, mostTold);
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

/** Throws a {@link SoftrlError}; an expression, so it can stand after `??`. */
export function fail(where: string, what: string, details: ErrorDetails = {}, options?: ErrorOptions): never {
  throw new SoftrlError(where, what, details, options);
}

/** `value` as an error message shows it: JSON where it has any. Never throws. */
export function describeValue(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A BigInt, an object that contains itself, or one whose conversion throws.
    return typeof value === "bigint" ? `${value}n` : "a value without JSON";
  }
}

/** A value that should be a number, as {@link describeValue}: JSON has no NaN and no infinity. */
export const describeNumber = (value: unknown): string =>
  typeof value === "number" ? String(value) : describeValue(value);

/** Throws unless `value` is a finite number in [low, high]; NaN never passes. */
export function requireNumber(where: string, name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high && Number.isFinite(value))) {
    fail(where, `${name} is out of range`, {
      expected: `a number in [${low}, ${high}]`,
      got: describeNumber(value),
    });
  }
}

/** Throws unless `value` is a safe integer that is at least `low`. */
export function requireInteger(where: string, name: string, value: number, low: number): void {
  if (!(Number.isSafeInteger(value) && value >= low)) {
    fail(where, `${name} is out of range`, {
      expected: `an integer of at least ${low}`,
      got: describeNumber(value),
    });
  }
}

/** Throws unless an array has the stated length; `remedy` says what to do. */
export function requireLength(
  where: string,
  name: string,
  length: number,
  expected: number,
  remedy?: string,
): void {
  if (length !== expected) {
    fail(where, `${name} has the wrong length`, {
      expected: String(expected),
      got: String(length),
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}
