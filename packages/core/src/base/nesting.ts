/** How deep lists and objects may nest in a snapshot or in JSON; those of a run nest five deep. */
export const MOST_NESTED = 100;

/** Whether lists and objects nest deeper than {@link MOST_NESTED}: writing such JSON may exceed the call stack. */
export function nestsTooDeep(json: unknown): boolean {
  return nestsDeeper(json, MOST_NESTED);
}

function nestsDeeper(json: unknown, levels: number): boolean {
  if (typeof json !== "object" || json === null) return false;
  return levels === 0 || Object.values(json).some((inner) => nestsDeeper(inner, levels - 1));
}
