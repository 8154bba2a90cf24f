// exp, log and tanh in float32, accurate to one or two units in the last place (tanh: 2.5), with correct
// results for NaN, infinities and denormals.
#pragma once
#include "roots.h"

namespace {

// eˣ = 2ⁿ · eʳ with |r| ≤ ln 2 / 2.
struct Reduced {
  IntVec n;
  Vec r;
};

SOFTRL_INLINE Reduced reduced(Vec x) {
  // n = round(x / ln 2); adding 1.5·2^23 leaves n in the low bits of the mantissa.
  const Vec magic = splat(12582912.0f);
  const Vec shifted = x * splat(1.44269504f) + magic;
  const Vec rounded = shifted - magic;
  // ln 2 in two parts; the first one has few bits, so that the product is exact.
  Vec r = x - rounded * splat(0.693359375f);
  r = r - rounded * splat(-2.12194440e-4f);
  return {bits(shifted) - bits(magic), r};
}

/// eʳ − 1 for |r| ≤ ln 2 / 2.
SOFTRL_INLINE Vec reducedGrowth(Vec r) {
  Vec p = splat(1.9875691500e-4f);
  p = p * r + splat(1.3981999507e-3f);
  p = p * r + splat(8.3334519073e-3f);
  p = p * r + splat(4.1665795894e-2f);
  p = p * r + splat(1.6666665459e-1f);
  p = p * r + splat(5.0000001201e-1f);
  return p * (r * r) + r;
}

SOFTRL_INLINE Vec exponential(Vec x) {
  // Below −104 the result is 0, above 89 it is infinite. For these numbers and NaN the computation below uses
  // harmless replacements.
  IntVec some = x > splat(-104.0f);
  Vec t = choose(some, x, splat(0.0f));
  Vec high = splat(89.0f);
  t = choose(t < high, t, high);
  const Reduced it = reduced(t);
  const IntVec n = it.n;
  const Vec p = reducedGrowth(it.r) + splat(1.0f);
  // 2^n as two factors, since 2^n itself may be outside the normal numbers.
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

/// (e²ˣ − 1) / (e²ˣ + 1), where e²ˣ − 1 is computed directly so that small numbers keep their digits.
SOFTRL_INLINE Vec hyperbolicTangent(Vec x) {
  const IntVec sign = bits(x) & splatInt(static_cast<int32>(0x80000000u));
  const Vec magnitude = floats(bits(x) & splatInt(0x7fffffff));
  // Beyond 9.02, tanh x rounds to 1 in float32. The comparison with NaN is false, so NaN propagates.
  const Vec most = splat(9.02f), one = splat(1.0f);
  const Vec t = most < magnitude ? most : magnitude;
  const Reduced it = reduced(t + t);
  const Vec power = floats((it.n << 23) + bits(one));
  const Vec growth = power * reducedGrowth(it.r) + (power - one);
  return floats(bits(ordinaryQuotient(growth, growth + splat(2.0f))) | sign);
}

/// One float, by the same arithmetic.
SOFTRL_INLINE float logarithmOf(float x) { return logarithm(splat(x))[0]; }

}  // namespace
