/** The largest |x| whose square the series take; beyond it, and for NaN, the engine's own functions answer. */
const widest = 1 / 4;

/**
 * sin x for angles that are mostly small: for |x| ≤ 1/4 Taylor's series x − x³/3! + x⁵/5! − … + x⁹/9! − x¹¹/11!,
 * Math.sin beyond.
 *
 * In the series' range it is the same number on every engine, and less than one unit in the last place (ulp) from
 * sin x: the terms left out come to less than x¹³/13! < 10⁻¹⁷ x, or 0.09 ulp; what is taken from x is at most x/96, so
 * that its own six roundings are below 0.07 ulp; the subtraction rounds by 0.5 ulp.
 */
export function smallSine(x: number): number {
  const z = x * x;
  if (!(z <= widest * widest)) return Math.sin(x);
  const zz = z * z;
  // In pairs, so that a processor works on several products at once.
  return x - x * (z * (1 / 6 - z * (1 / 120) + zz * (1 / 5040 - z * (1 / 362880) + zz * (1 / 39916800))));
}

/**
 * cos x for angles that are mostly small: for |x| ≤ 1/4 Taylor's series 1 − x²/2! + x⁴/4! − … − x¹⁰/10! + x¹²/12!,
 * Math.cos beyond.
 *
 * In the series' range it is the same number on every engine, and less than one unit in the last place (ulp) from
 * cos x: the terms left out come to less than x¹⁴/14! < 10⁻¹⁹; what is taken from 1 is at most 1/32, so that its own
 * roundings are below 0.07 ulp; the subtraction rounds by 0.5 ulp.
 */
export function smallCosine(x: number): number {
  const z = x * x;
  if (!(z <= widest * widest)) return Math.cos(x);
  const zz = z * z;
  const beyondSquare = 1 / 24 - z * (1 / 720) + zz * (1 / 40320 - z * (1 / 3628800) + zz * (1 / 479001600));
  return 1 - (z / 2 - zz * beyondSquare);
}
