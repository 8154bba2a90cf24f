/**
 * sin x and cos x, the same number in every engine: ECMAScript leaves the last digit of Math.sin and Math.cos to the
 * engine, and engines differ there. These functions use only operations that IEEE 754 rounds exactly.
 *
 * The reduction, polynomials and coefficients are those of fdlibm 5.3 (e_rem_pio2.c, k_sin.c, k_cos.c), as in Node, whose
 * numbers they give: Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Permission to use, copy, modify, and
 * distribute this software is freely granted, provided that this notice is preserved.
 */

/** Beyond, the engine's own functions are called: the reduction would lose digits. */
const LARGEST = 2 ** 19 * Math.PI;

/** π/4, rounded up to 20 binary places of its mantissa. */
const QUARTER_PI = 1647100 / 2 ** 21;

/** π/2 as a sum; the first two parts have so few digits that n times them is exact, for n < 2²⁰. */
const HALF_PI_1 = 1.5707963267341256;
const HALF_PI_1_REST = 6.077100506506192e-11;
const HALF_PI_2 = 6.077100506303966e-11;
const HALF_PI_2_REST = 2.0222662487959506e-21;
const HALF_PI_3 = 2.0222662487111665e-21;
const HALF_PI_3_REST = 8.4784276603689e-32;

/** sin x, with an error of less than one unit in the last place. */
export function sine(x: number): number {
  if (Math.abs(x) < QUARTER_PI) return sineNearZero(x, 0);
  if (!(Math.abs(x) <= LARGEST)) return Math.sin(x);
  return quadrant(x, 0);
}

/** cos x, with an error of less than one unit in the last place. */
export function cosine(x: number): number {
  if (Math.abs(x) < QUARTER_PI) return cosineNearZero(x, 0);
  if (!(Math.abs(x) <= LARGEST)) return Math.cos(x);
  return quadrant(x, 1);
}

/** sin(x + quarters · π/2) for |x| > π/4. */
function quadrant(x: number, quarters: number): number {
  // |x| = n π/2 + r with |r| ≤ π/4 but for rounding; r = high + low.
  const size = Math.abs(x);
  const n = Math.floor(size * (2 / Math.PI) + 0.5);
  let rest = size - n * HALF_PI_1;
  let less = n * HALF_PI_1_REST;
  let high = rest - less;
  // Where many digits cancel, the next part of π/2 is needed.
  if (Math.abs(high) < size * 2 ** -16) {
    const before = rest;
    less = n * HALF_PI_2;
    rest = before - less;
    less = n * HALF_PI_2_REST - (before - rest - less);
    high = rest - less;
    if (Math.abs(high) < size * 2 ** -49) {
      const then = rest;
      less = n * HALF_PI_3;
      rest = then - less;
      less = n * HALF_PI_3_REST - (then - rest - less);
      high = rest - less;
    }
  }
  const low = rest - high - less;
  // For x < 0: sin(−|x|) = −sin |x|, cos(−|x|) = cos |x|.
  const turns = (n + quarters) & 3;
  const value = (turns & 1) === 0 ? sineNearZero(high, low) : cosineNearZero(high, low);
  const negative = turns > 1 !== (x < 0 && quarters === 0);
  return negative ? -value : value;
}

/** sin(x + y) for |x| ≤ π/4 and y below its last digit. */
function sineNearZero(x: number, y: number): number {
  if (Math.abs(x) < 2 ** -27) return x;
  const z = x * x;
  const v = z * x;
  const r =
    0.00833333333332249 +
    z *
      (-0.0001984126982985795 +
        z * (0.0000027557313707070068 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10)));
  if (y === 0) return x + v * (-0.16666666666666632 + z * r);
  return x - (z * (0.5 * y - v * r) - y - v * -0.16666666666666632);
}

/** cos(x + y) for |x| ≤ π/4 and y below the last digit of x. */
function cosineNearZero(x: number, y: number): number {
  const size = Math.abs(x);
  if (size < 2 ** -27) return 1;
  const z = x * x;
  const r =
    z *
    (0.0416666666666666 +
      z *
        (-0.001388888888887411 +
          z *
            (0.00002480158728947673 +
              z * (-2.7557314351390663e-7 + z * (2.087572321298175e-9 + z * -1.1359647557788195e-11)))));
  if (size < 1258291 / 2 ** 22) return 1 - (0.5 * z - (z * r - x * y));
  // 1 − z/2 loses no digit if an exact number near |x|/4 is subtracted from both first.
  const shift = size >= 0.78125 + 2 ** -21 ? 0.28125 : quarterOf(size);
  return 1 - shift - (0.5 * z - shift - (z * r - x * y));
}

/** x/4 for 1/4 ≤ x < 1, with the first 21 binary digits of x. */
function quarterOf(x: number): number {
  return x < 0.5 ? Math.floor(x * 2 ** 22) / 2 ** 24 : Math.floor(x * 2 ** 21) / 2 ** 23;
}
