declare const ending: unique symbol;

/** One flag (0 or 1) per step: the episode ended in a terminal state, whose value is zero. */
export type Terminated = Uint8Array & { readonly [ending]: "terminated" };
/** One flag (0 or 1) per step: the episode was cut off; its last state still has a value. */
export type Truncated = Uint8Array & { readonly [ending]: "truncated" };

/** Flags of {@link Terminated}, all 0. */
export const terminatedFlags = (length: number): Terminated => new Uint8Array(length) as Terminated;
/** Flags of {@link Truncated}, all 0. */
export const truncatedFlags = (length: number): Truncated => new Uint8Array(length) as Truncated;
/** A view of the flags from `begin` up to `end`. */
export const flagsBetween = <Flags extends Terminated | Truncated>(
  flags: Flags,
  begin: number,
  end: number,
): Flags => flags.subarray(begin, end) as Flags;
