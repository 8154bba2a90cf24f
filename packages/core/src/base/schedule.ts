/**
 * A number that changes over a run: linearly from the first step to the last, linearly over the first `over` of the run
 * (a share in (0, 1)), or at given environment steps.
 */
export type NumberSchedule =
  | { readonly from: number; readonly to: number; readonly over?: number }
  | { readonly steps: readonly (readonly [step: number, value: number])[] };

/** A number that may follow a schedule. */
export type LiveNumber = number | NumberSchedule;

/**
 * The value of `number` after `step` of `steps` environment steps.
 *
 * Linear: from + (to − from) · step/steps, and `to` from the last step on; with `over`, step/(over · steps) instead. In
 * steps: the value of the last entry whose step has been reached.
 */
export function valueAt(number: LiveNumber, step: number, steps: number): number {
  if (typeof number === "number") return number;
  if ("from" in number) return linear(number.from, number.to, step, (number.over ?? 1) * steps);
  let [[, value]] = number.steps;
  for (const [start, next] of number.steps) if (start <= step) value = next;
  return value;
}

/** first + (last − first) · step/steps; `last` from the last step on. */
export function linear(first: number, last: number, step: number, steps: number): number {
  const done = step / steps;
  return done >= 1 ? last : first + (last - first) * done;
}

/** The schedule as text, as the command line reads it: `0.1`, `0.1:0.01`, `1:0.05:0.1`, `0.1@0,0.01@10000`. */
export function scheduleText(number: LiveNumber): string {
  if (typeof number === "number") return String(number);
  if ("from" in number) {
    return `${number.from}:${number.to}${number.over === undefined ? "" : `:${number.over}`}`;
  }
  return number.steps.map(([step, value]) => `${value}@${step}`).join(",");
}
