/** The parts of an error message: what was expected, what came, and what to do about it. */
export interface ErrorDetails {
  /** What would have been right. */
  readonly expected?: string;
  /** What came instead. */
  readonly got?: string;
  /** What the reader can do. */
  readonly remedy?: string;
}

/**
 * The one error class of softrl: bad input, said as "where: what, expected …, got …; remedy".
 *
 * Everything that a caller can cause is a `SoftrlError`; any other error is a fault of ours.
 */
export class SoftrlError extends Error {
  /** The function, option or file that refused. */
  readonly where: string;
  readonly details: ErrorDetails;

  constructor(where: string, what: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(errorMessage(where, what, details), options);
    this.name = "SoftrlError";
    this.where = where;
    this.details = details;
  }
}

function errorMessage(where: string, what: string, { expected, got, remedy }: ErrorDetails): string {
  let message = `${where}: ${what}`;
  if (expected !== undefined) message += `, expected ${expected}`;
  if (got !== undefined) message += `, got ${got}`;
  if (remedy !== undefined) message += `; ${remedy}`;
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

/** Throws a {@link SoftrlError}; an expression, so that it can stand after `??`. */
export function fail(where: string, what: string, details: ErrorDetails = {}): never {
  throw new SoftrlError(where, what, details);
}

/** Throws unless `value` is a finite number in [low, high]; NaN never passes. */
export function requireNumber(where: string, name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high && Number.isFinite(value))) {
    fail(where, `${name} is out of range`, { expected: `a number in [${low}, ${high}]`, got: String(value) });
  }
}

/** Throws unless `value` is a safe integer that is at least `low`. */
export function requireInteger(where: string, name: string, value: number, low: number): void {
  if (!(Number.isSafeInteger(value) && value >= low)) {
    fail(where, `${name} is out of range`, { expected: `an integer of at least ${low}`, got: String(value) });
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
