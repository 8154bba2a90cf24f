import { SoftrlError } from "./errors.js";

interface ArrayClass<Numbers> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): Numbers;
}

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
    { remedy, code: "out-of-memory", bytes },
    { cause },
  );
}

/**
 * A zeroed typed array: `allocate("Rollout", Float64Array, steps * size)`.
 *
 * @param needed the bytes that an error names; those of this array alone unless set.
 * @throws SoftrlError with the code `out-of-memory` when the runtime has no room for it.
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
  try {
    return new Numbers(length);
  } catch (error) {
    // A negative length is a fault of the caller, not of memory.
    if (!(error instanceof RangeError && length >= 0)) throw error;
    throw outOfMemory(where, needed, remedy, error);
  }
}
