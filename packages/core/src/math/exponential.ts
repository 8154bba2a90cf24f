/**
 * eˣ and log x, the same number in every engine. ECMAScript leaves the last digit of Math.exp and Math.log to the engine,
 * and engines differ there: Node's V8, newer V8s and JavaScriptCore give three answers. These functions use only
 * operations that IEEE 754 rounds exactly.
 *
 * The reductions, polynomials and coefficients are those of fdlibm 5.3 (e_exp.c and e_log.c), as in Node, whose numbers
 * they give: Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Permission to use, copy, modify, and
 * distribute this software is freely granted, provided that this notice is preserved.
 */

/** log 2 as a sum; the first part has so few digits that its products with an exponent are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** log(2)/2, rounded up to 20 binary places of its mantissa. */
const HALF_LN2 = 1453635 / 2 ** 22;
const SMALLEST_NORMAL = 2 ** -1022;

/** 2ᵏ for k = −1022…1023. */
const powersOfTwo = new Float64Array(2046);
for (let i = 0, power = SMALLEST_NORMAL; i < 2046; i++, power *= 2) powersOfTwo[i] = power;

/** eˣ, with an error of less than one unit in the last place. */
export function exp(x: number): number {
  const size = Math.abs(x);
  if (!(size < 708)) {
    if (x > 709.782712893384) return Number.POSITIVE_INFINITY;
    if (x < -745.1332191019411) return 0;
    if (Number.isNaN(x)) return x;
  }
  if (size < 2 ** -28) return 1 + x;
  // x = k log 2 + r with |r| ≤ log(2)/2; r = high − low.
  let k = 0;
  let high = x;
  let low = 0;
  if (size >= HALF_LN2) {
    if (x === 1) return Math.E;
    k = Math.trunc(Math.LOG2E * x + (x < 0 ? -0.5 : 0.5));
    high = x - k * LN2_HIGH;
    low = k * LN2_LOW;
  }
  const r = high - low;
  const t = r * r;
  const c =
    r -
    t *
      (0.16666666666666602 +
        t *
          (-0.0027777777777015593 +
            t * (0.00006613756321437934 + t * (-0.0000016533902205465252 + t * 4.1381367970572385e-8))));
  if (k === 0) return 1 - ((r * c) / (c - 2) - r);
  const y = 1 - (low - (r * c) / (2 - c) - high);
  if (k > 1023) return y * 2 * 2 ** 1023;
  // In two steps where 2ᵏ itself would be subnormal, so that only the last one rounds.
  return k >= -1021 ? y * powersOfTwo[k + 1022] : y * powersOfTwo[k + 2022] * 2 ** -1000;
}

const float = new Float64Array(1);
const bits = new Uint32Array(float.buffer);
/** Which half of a float64 has its sign and exponent. */
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** The natural logarithm, with an error of less than one unit in the last place; log 0 = −∞, NaN below. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  // x = 2ᵏ (1 + f) with √½ < 1 + f < √2.
  let k = 0;
  float[0] = x;
  if (x < SMALLEST_NORMAL) {
    k = -54;
    float[0] = x * 2 ** 54;
  }
  const top = bits[HIGH];
  const mantissa = top & 0xfffff;
  const half = (mantissa + 0x95f64) & 0x100000;
  bits[HIGH] = mantissa | (half ^ 0x3ff00000);
  k += (top >> 20) - 1023 + (half >> 20);
  const f = float[0] - 1;
  if (Math.abs(f) < 2 ** -20) {
    if (f === 0) return k === 0 ? 0 : k * LN2_HIGH + k * LN2_LOW;
    const rest = f * f * (0.5 - 0.3333333333333333 * f);
    return k === 0 ? f - rest : k * LN2_HIGH - (rest - k * LN2_LOW - f);
  }
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const odd =
    z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const rest = odd + even;
  if (((mantissa - 0x6147a) | (0x6b851 - mantissa)) > 0) {
    const square = 0.5 * f * f;
    return k === 0
      ? f - (square - s * (square + rest))
      : k * LN2_HIGH - (square - (s * (square + rest) + k * LN2_LOW) - f);
  }
  return k === 0 ? f - s * (f - rest) : k * LN2_HIGH - (s * (f - rest) - k * LN2_LOW - f);
}
