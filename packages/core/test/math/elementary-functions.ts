/** Numbers in which a function is compared: the same on every engine. */
export function points(count: number, from: number, to: number, random: { float(): number }): Float64Array {
  return Float64Array.from({ length: count }, () => from + (to - from) * random.float());
}

/** The distance between two numbers of one sign in units of the last place. */
export function ulps(a: number, b: number): number {
  const [left, right] = new BigInt64Array(Float64Array.of(a, b).buffer);
  return Number(left > right ? left - right : right - left);
}

/** A hash of the bytes of a function's values. */
export function hashOf(f: (x: number) => number, x: Float64Array): string {
  const words = new Uint32Array(x.map(f).buffer);
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193) ^ (hash >>> 15);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
