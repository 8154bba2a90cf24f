// Square roots, rounded like those of the processor, and quotients; with AVX-512 both are faster than its divider.
//
// The divider is not pipelined: 16 roots take 12 cycles, 16 quotients 10. An approximation of 14 bits and a few
// fused multiplications take about half of that, and the last correction, x − root², is exact.
#pragma once
#include "vector.h"
#ifdef __AVX512DQ__
#include <immintrin.h>
#endif

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
