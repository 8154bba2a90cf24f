// Square roots, rounded like those of the processor, and quotients; with AVX-512 both are faster than its divider.
//
// The divider is not pipelined: 16 roots take 12 cycles, 16 quotients 10. An approximation of 14 bits and a few
// fused multiplications take about half of that, and the last correction, x − root², is exact.
#pragma once
#include "vector.h"

namespace {

#if SOFTRL_VL == 16 && defined(__AVX512DQ__)

/// a / b, accurate to one unit in the last place, for a b that is not zero, infinite or near the ends of the
/// range.
SOFTRL_INLINE Vec ordinaryQuotient(Vec a, Vec b) {
  const __m512 n = reinterpret_cast<__m512>(a), d = reinterpret_cast<__m512>(b);
  const __m512 guess = _mm512_rcp14_ps(d);
  const __m512 error = _mm512_fnmadd_ps(d, guess, _mm512_set1_ps(1.0f));
  const __m512 inverse = _mm512_fmadd_ps(error, guess, guess);
  const __m512 q = _mm512_mul_ps(n, inverse);
  const __m512 rest = _mm512_fnmadd_ps(d, q, n);
  return reinterpret_cast<Vec>(_mm512_fmadd_ps(rest, inverse, q));
}

/// The lanes whose magnitude is from 2^−60 up to 2^60.
SOFTRL_INLINE __mmask16 moderate(__m512 x) {
  constexpr int32 least = (127 - 60) << 23, most = (127 + 60) << 23;
  const __m512i magnitude = _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff));
  return _mm512_cmplt_epu32_mask(_mm512_sub_epi32(magnitude, _mm512_set1_epi32(least)), _mm512_set1_epi32(most - least));
}

/// Quotients by one number, with the same bits as those of the processor: Markstein's theorem says that the last step
/// rounds correctly, if the inverse does.
struct Divisor {
  __m512 d, inverse;
  bool usual;

  SOFTRL_INLINE explicit Divisor(float divisor) : d(_mm512_set1_ps(divisor)), inverse(_mm512_set1_ps(1.0f / divisor)) {
    usual = moderate(d) != 0;
  }

  SOFTRL_INLINE Vec into(Vec a) const {
    const __m512 n = reinterpret_cast<__m512>(a);
    const __m512 q = _mm512_mul_ps(n, inverse);
    const __m512 result = _mm512_fmadd_ps(_mm512_fnmadd_ps(d, q, n), inverse, q);
    const __mmask16 zero = _mm512_cmp_ps_mask(n, _mm512_setzero_ps(), _CMP_EQ_OQ);
    // The divider computes vectors with numbers that are not moderate. The last step would lose the sign of a zero.
    if (__builtin_expect(usual && (moderate(n) | zero) == 0xffff, 1))
      return reinterpret_cast<Vec>(_mm512_mask_mov_ps(result, zero, q));
    return reinterpret_cast<Vec>(_mm512_div_ps(n, d));
  }
};

/// The same bits as the square root of the processor, which was checked for all 2^32 floats.
SOFTRL_INLINE Vec squareRoot(Vec x) {
  constexpr int classNan = 0x81;          // in the encoding of vfpclassps
  constexpr float least = 7.8886091e-31f;  // 2^-100: below it the remainder is not exact
  const __m512 square = reinterpret_cast<__m512>(x);
  const __m512 inverse = _mm512_rsqrt14_ps(square);
  __m512 root = _mm512_mul_ps(square, inverse);
  __m512 half = _mm512_mul_ps(inverse, _mm512_set1_ps(0.5f));
  const __m512 error = _mm512_fnmadd_ps(root, half, _mm512_set1_ps(0.5f));
  root = _mm512_fmadd_ps(root, error, root);
  half = _mm512_fmadd_ps(half, error, half);
  const __m512 rest = _mm512_fnmadd_ps(root, root, square);
  // The root of zero is that zero: the moments of unused parameters are often zero.
  const __mmask16 zero = _mm512_cmp_ps_mask(square, _mm512_setzero_ps(), _CMP_EQ_OQ);
  const __m512 result = _mm512_mask_mov_ps(_mm512_fmadd_ps(rest, half, root), zero, square);
  // Infinity, NaN, negative numbers and the others below `least` go to the divider.
  const __mmask16 tiny = _mm512_cmp_ps_mask(square, _mm512_set1_ps(least), _CMP_NGE_UQ);
  const __mmask16 others = (tiny & ~zero) | _mm512_fpclass_ps_mask(result, classNan);
  if (__builtin_expect(others == 0, 1)) return reinterpret_cast<Vec>(result);
  return reinterpret_cast<Vec>(_mm512_mask_sqrt_ps(result, others, square));
}

#else

SOFTRL_INLINE Vec ordinaryQuotient(Vec a, Vec b) { return a / b; }

struct Divisor {
  Vec d;

  SOFTRL_INLINE explicit Divisor(float divisor) : d(splat(divisor)) {}
  SOFTRL_INLINE Vec into(Vec a) const { return a / d; }
};

SOFTRL_INLINE Vec squareRoot(Vec x) {
#ifdef __wasm__
  return __builtin_wasm_sqrt_f32x4(x);
#else
  // With no-math-errno the loop becomes one vector instruction.
  float lanes[VL];
  store(lanes, x);
  for (int i = 0; i < VL; i++) lanes[i] = __builtin_sqrtf(lanes[i]);
  return load(lanes);
#endif
}

#endif

}  // namespace
