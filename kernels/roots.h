// Division and square root, correctly rounded as the processor's own are, and with AVX-512 faster.
//
// A divider is not pipelined: 16 quotients take it 10 cycles, 16 roots 12. An approximation of 14 bits and a few fused
// multiplications take less, and the last correction, x − q·d, is exact. Where the approximation is no use or a step may
// leave the range (zero, infinity, NaN, very small or large numbers), the divider gives that lane.
#pragma once
#include "vector.h"
#ifdef __AVX512DQ__
#include <immintrin.h>
#endif

namespace {

#if SOFTRL_VL == 16 && defined(__AVX512DQ__)

// Classes of numbers, as vfpclassps numbers them.
constexpr int classNan = 0x81, classUseless = 0xbf;  // NaN, zero, infinite or denormal
// Below it what a correction is made of is no longer exact.
constexpr float leastExact = 7.8886091e-31f;  // 2^-100

struct Division {
  __m512 inverse, q;

  SOFTRL_INLINE Division(__m512 n, __m512 d) {
    const __m512 guess = _mm512_rcp14_ps(d);
    const __m512 error = _mm512_fnmadd_ps(d, guess, _mm512_set1_ps(1.0f));
    inverse = _mm512_fmadd_ps(error, guess, guess);
    const __m512 first = _mm512_mul_ps(n, inverse);
    const __m512 rest = _mm512_fnmadd_ps(d, first, n);
    q = _mm512_fmadd_ps(rest, inverse, first);
  }
};

/// a / b where b is neither zero nor infinite nor near the ends of the range, and a is not −0.
SOFTRL_INLINE Vec ordinaryQuotient(Vec a, Vec b) {
  return reinterpret_cast<Vec>(Division(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)).q);
}

SOFTRL_INLINE Vec quotient(Vec a, Vec b) {
  const __m512 n = reinterpret_cast<__m512>(a), d = reinterpret_cast<__m512>(b);
  const Division fast(n, d);
  // The correction loses the sign of a zero.
  const IntVec sign = (bits(a) ^ bits(b)) & splatInt(static_cast<int32>(0x80000000u));
  const Vec result = floats(bits(reinterpret_cast<Vec>(fast.q)) | sign);
  const __m512i magnitude = reinterpret_cast<__m512i>(bits(a) & splatInt(0x7fffffff));
  const __mmask16 tiny = _mm512_cmp_ps_mask(reinterpret_cast<__m512>(magnitude), _mm512_set1_ps(leastExact), _CMP_LT_OQ);
  const __mmask16 useless = _mm512_mask_test_epi32_mask(tiny, magnitude, magnitude) |
                            _mm512_fpclass_ps_mask(fast.inverse, classUseless) | _mm512_fpclass_ps_mask(fast.q, classNan);
  if (__builtin_expect(useless == 0, 1)) return result;
  return reinterpret_cast<Vec>(_mm512_mask_div_ps(reinterpret_cast<__m512>(result), useless, n, d));
}

SOFTRL_INLINE Vec squareRoot(Vec x) {
  const __m512 square = reinterpret_cast<__m512>(x);
  const __m512 inverse = _mm512_rsqrt14_ps(square);
  __m512 root = _mm512_mul_ps(square, inverse);
  __m512 half = _mm512_mul_ps(inverse, _mm512_set1_ps(0.5f));
  const __m512 error = _mm512_fnmadd_ps(root, half, _mm512_set1_ps(0.5f));
  root = _mm512_fmadd_ps(root, error, root);
  half = _mm512_fmadd_ps(half, error, half);
  const __m512 rest = _mm512_fnmadd_ps(root, root, square);
  const __m512 result = _mm512_fmadd_ps(rest, half, root);
  const __mmask16 useless = _mm512_cmp_ps_mask(square, _mm512_set1_ps(leastExact), _CMP_NGE_UQ) |
                            _mm512_fpclass_ps_mask(result, classNan);
  if (__builtin_expect(useless == 0, 1)) return reinterpret_cast<Vec>(result);
  return reinterpret_cast<Vec>(_mm512_mask_sqrt_ps(result, useless, square));
}

#else

SOFTRL_INLINE Vec quotient(Vec a, Vec b) { return a / b; }
SOFTRL_INLINE Vec ordinaryQuotient(Vec a, Vec b) { return a / b; }

/// With no-math-errno the loop becomes one vector instruction.
SOFTRL_INLINE Vec squareRoot(Vec x) {
  float lanes[VL];
  store(lanes, x);
  for (int i = 0; i < VL; i++) lanes[i] = __builtin_sqrtf(lanes[i]);
  return load(lanes);
}

#endif

}  // namespace
