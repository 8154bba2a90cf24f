/** A number as a function of how much of the run is done, in [0, 1]. */
export type Schedule = (done: number) => number;

/** The same number throughout. */
export const constantSchedule =
  (value: number): Schedule =>
  () =>
    value;

/** From `first` to `last` in a straight line; `last` from there on. */
export const linearSchedule =
  (first: number, last: number): Schedule =>
  (done) =>
    done >= 1 ? last : first + (last - first) * done;
