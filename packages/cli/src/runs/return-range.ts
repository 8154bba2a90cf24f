/** The largest size of a number that statistics and figures take; one over it is the smallest but zero. */
const LARGEST = 1e100;

/** What {@link isDrawable} accepts, for errors. */
export const DRAWABLE = "0, or a number of a size between 1e-100 and 1e100";

/** Whether the squares and differences of such numbers are neither infinite nor too small for an axis. */
export function isDrawable(value: number): boolean {
  const size = Math.abs(value);
  return size === 0 || (size >= 1 / LARGEST && size <= LARGEST);
}
