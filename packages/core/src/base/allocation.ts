import { SoftrlError } from "./errors.js";

interface ArrayClass<Numbers> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): Numbers;
}

/** The most bytes that the arrays of one object may take: those of the largest arena that kernels can address. */
export const MOST_BYTES = 2 ** 33;

/** The error when arrays of so many bytes do not fit in memory. */
export function outOfMemory(
  where: string,
  bytes: number,
  remedy = "use a smaller batch or network",
  cause?: unknown,
): SoftrlError {
  return new SoftrlError(
    where,
    `not enough memory for ${(bytes / 2 ** 20).toFixed(1)} MiB`,
    {
      ...(bytes > MOST_BYTES ? { expected: `at most ${MOST_BYTES / 2 ** 20} MiB` } : {}),
      remedy,
      code: "out-of-memory",
      bytes,
    },
    { cause },
  );
}

/**
 * Refuses sizes that no machine is meant for before anything is allocated: the runtime may grant such an array and then
 * end the process when it is filled.
 * @param bytes what all arrays of an object take together
 * @throws SoftrlError with the code `out-of-memory` for more than {@link MOST_BYTES}.
 */
export function requireMemory(where: string, bytes: number, remedy?: string): void {
  if (bytes > MOST_BYTES) throw outOfMemory(where, bytes, remedy);
}

/**
 * A zeroed typed array: `allocate("Rollout", Float64Array, steps * size)`.
 *
 * @param needed the bytes that an error names; those of this array alone unless set.
 * @throws SoftrlError with the code `out-of-memory` when it needs more than {@link MOST_BYTES}, or the runtime has no room
 * for it.
 */
export function allocate<Numbers>(
  where: string,
  Numbers: ArrayClass<Numbers>,
  length: number,
  {
    needed = length * Numbers.BYTES_PER_ELEMENT,
    remedy,
  }: { readonly needed?: number; readonly remedy?: string } = {},
): Numbers {
  requireMemory(where, needed, remedy);
  try {
    return new Numbers(length);
  } catch (error) {
    // A negative length is a fault of the caller, not of memory.
    if (!(error instanceof RangeError && length >= 0)) throw error;
    throw outOfMemory(where, needed, remedy, error);
  }
}
