// exp, log and tanh in float32, to about one unit in the last place, honest about NaN, infinities and denormals.
#pragma once
#include "vector.h"

namespace {

SOFTRL_INLINE Vec exponential(Vec x) {
  // Below −104 the result is 0, above 89 infinite; there and for NaN the sum below works on harmless numbers.
  IntVec some = x > splat(-104.0f);
  Vec t = choose(some, x, splat(0.0f));
  Vec high = splat(89.0f);
  t = choose(t < high, t, high);
  // n = round(t / ln 2); adding 1.5·2^23 leaves n in the low bits of the mantissa.
  Vec magic = splat(12582912.0f);
  Vec shifted = t * splat(1.44269504f) + magic;
  IntVec n = bits(shifted) - bits(magic);
  Vec rounded = shifted - magic;
  // ln 2 in two parts; the first has few bits, so that the product is exact.
  Vec r = t - rounded * splat(0.693359375f);
  r = r - rounded * splat(-2.12194440e-4f);
  Vec p = splat(1.9875691500e-4f);
  p = p * r + splat(1.3981999507e-3f);
  p = p * r + splat(8.3334519073e-3f);
  p = p * r + splat(4.1665795894e-2f);
  p = p * r + splat(1.6666665459e-1f);
  p = p * r + splat(5.0000001201e-1f);
  p = p * (r * r) + r + splat(1.0f);
  // 2^n in two factors, since 2^n itself may lie outside the normal numbers.
  IntVec half = n >> 1;
  Vec first = floats((half + 127) << 23);
  Vec second = floats((n - half + 127) << 23);
  return choose(some, p * first * second, choose(x != x, x, splat(0.0f)));
}

SOFTRL_INLINE Vec logarithm(Vec x) {
  IntVec tiny = x < splat(1.17549435e-38f);
  Vec scaled = choose(tiny, x * splat(8388608.0f), x);
  IntVec word = bits(scaled);
  IntVec exponent = ((word >> 23) & 255) - 126 - (tiny & 23);
  Vec m = floats((word & 0x007fffff) | 0x3f000000);  // in [0.5, 1)
  IntVec small = m < splat(0.707106781f);
  exponent = exponent + small;  // a set mask is −1
  Vec f = choose(small, m + m, m) - splat(1.0f);
  Vec e = __builtin_convertvector(exponent, Vec);
  Vec z = f * f;
  Vec p = splat(7.0376836292e-2f);
  p = p * f + splat(-1.1514610310e-1f);
  p = p * f + splat(1.1676998740e-1f);
  p = p * f + splat(-1.2420140846e-1f);
  p = p * f + splat(1.4249322787e-1f);
  p = p * f + splat(-1.6668057665e-1f);
  p = p * f + splat(2.0000714765e-1f);
  p = p * f + splat(-2.4999993993e-1f);
  p = p * f + splat(3.3333331174e-1f);
  Vec y = p * f * z;
  y = y + e * splat(-2.12194440e-4f);
  y = y - splat(0.5f) * z;
  Vec result = f + y;
  result = result + e * splat(0.693359375f);
  Vec infinity = splat(__builtin_inff());
  result = choose(x == infinity, infinity, result);
  result = choose(x == splat(0.0f), -infinity, result);
  // Negative numbers and NaN.
  return choose(x >= splat(0.0f), result, splat(__builtin_nanf("")));
}

SOFTRL_INLINE Vec hyperbolicTangent(Vec x) {
  IntVec sign = bits(x) & splatInt(static_cast<int32>(0x80000000u));
  Vec magnitude = floats(bits(x) & splatInt(0x7fffffff));
  Vec z = x * x;
  Vec p = splat(-5.70498872745e-3f);
  p = p * z + splat(2.06390887954e-2f);
  p = p * z + splat(-5.37397155531e-2f);
  p = p * z + splat(1.33314422036e-1f);
  p = p * z + splat(-3.33332819422e-1f);
  Vec near = p * z * magnitude + magnitude;
  Vec far = splat(1.0f) - splat(2.0f) / (exponential(magnitude + magnitude) + splat(1.0f));
  Vec result = choose(magnitude < splat(0.625f), near, far);
  return choose(x != x, x, floats(bits(result) | sign));
}

/// One float, through the same arithmetic.
SOFTRL_INLINE float logarithmOf(float x) { return logarithm(splat(x))[0]; }

/// Correctly rounded on every target; with no-math-errno the loop becomes one vector instruction.
SOFTRL_INLINE Vec squareRoot(Vec x) {
  float lanes[VL];
  store(lanes, x);
  for (int i = 0; i < VL; i++) lanes[i] = __builtin_sqrtf(lanes[i]);
  return load(lanes);
}

}  // namespace
