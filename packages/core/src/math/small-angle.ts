import { cosine, sine } from "./trigonometric.js";

/**
 * The series are used for |x| up to this bound; beyond it, and for NaN, the general functions are called, which take
 * longer.
 */
const widest = 1 / 4;

/**
 * sin x for angles that are mostly small: Taylor's series x − x³/3! + x⁵/5! − … + x⁹/9! − x¹¹/11! for |x| ≤
 * 1/4, sine(x) beyond.
 *
 * Within the range of the series, its error is less than one unit in
 * the last place (ulp): the omitted terms sum to less than x¹³/13! < 10⁻¹⁷ x, or 0.09 ulp; the amount
 * subtracted from x is at most x/96, so its own six roundings contribute less than 0.07 ulp; and the
 * subtraction rounds by 0.5 ulp.
 */
export function smallSine(x: number): number {
  const z = x * x;
  if (!(z <= widest * widest)) return sine(x);
  const zz = z * z;
  // In pairs, so that a processor can compute several products at once.
  return x - x * (z * (1 / 6 - z * (1 / 120) + zz * (1 / 5040 - z * (1 / 362880) + zz * (1 / 39916800))));
}

/**
 * cos x for angles that are mostly small: Taylor's series 1 − x²/2! + x⁴/4! − … − x¹⁰/10! + x¹²/12! for |x| ≤
 * 1/4, cosine(x) beyond.
 *
 * Within the range of the series, its error is less than one unit in
 * the last place (ulp): the omitted terms sum to less than x¹⁴/14! < 10⁻¹⁹; the amount subtracted from 1 is
 * at most 1/32, so its own roundings contribute less than 0.07 ulp; and the subtraction rounds by 0.5 ulp.
 */
export function smallCosine(x: number): number {
  const z = x * x;
  if (!(z <= widest * widest)) return cosine(x);
  const zz = z * z;
  const beyondSquare = 1 / 24 - z * (1 / 720) + zz * (1 / 40320 - z * (1 / 3628800) + zz * (1 / 479001600));
  return 1 - (z / 2 - zz * beyondSquare);
}
