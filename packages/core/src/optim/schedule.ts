/** A number as a function of the fraction of the run that is done, in [0, 1]. */
export type Schedule = (done: number) => number;

/** The same number during the whole run. */
export const constantSchedule =
  (value: number): Schedule =>
  () =>
    value;

/** A straight line from `first` at 0 to `last` at 1, then `last`. */
export const linearSchedule =
  (first: number, last: number): Schedule =>
  (done) =>
    done >= 1 ? last : first + (last - first) * done;
