// Transposition, four by four.
#pragma once
#include "vector.h"

namespace {

/// Transposes a 4 × 4 matrix in place.
SOFTRL_INLINE void transposeFour(Vec4& r0, Vec4& r1, Vec4& r2, Vec4& r3) {
#if defined(__clang__) || __GNUC__ >= 12
  const Vec4 lo01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), hi01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
  const Vec4 lo23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5), hi23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
  r0 = __builtin_shufflevector(lo01, lo23, 0, 1, 4, 5);
  r1 = __builtin_shufflevector(lo01, lo23, 2, 3, 6, 7);
  r2 = __builtin_shufflevector(hi01, hi23, 0, 1, 4, 5);
  r3 = __builtin_shufflevector(hi01, hi23, 2, 3, 6, 7);
#else
  const Vec4 a = r0, b = r1, c = r2, d = r3;
  r0 = Vec4{a[0], b[0], c[0], d[0]};
  r1 = Vec4{a[1], b[1], c[1], d[1]};
  r2 = Vec4{a[2], b[2], c[2], d[2]};
  r3 = Vec4{a[3], b[3], c[3], d[3]};
#endif
}

/// sumLanes of each of four vectors.
SOFTRL_INLINE Vec4 sumLanesOfFour(Vec a, Vec b, Vec c, Vec d) {
  Vec4 r0 = sumToFour(a), r1 = sumToFour(b), r2 = sumToFour(c), r3 = sumToFour(d);
  transposeFour(r0, r1, r2, r3);
  return (r0 + r2) + (r1 + r3);
}

/// to[k·toStep + c] = from[c·fromStep + k] for c < columns, and zeros in [columns, padded).
static void transpose(float* to, Index toStep, const float* from, Index fromStep, Index rows, Index columns, Index padded) {
  Index c = 0;
  for (; c + 4 <= columns; c += 4) {
    const float* a = from + c * fromStep;
    Index k = 0;
    for (; k + 4 <= rows; k += 4) {
      Vec4 r0 = *reinterpret_cast<const UnalignedVec4*>(a + k);
      Vec4 r1 = *reinterpret_cast<const UnalignedVec4*>(a + fromStep + k);
      Vec4 r2 = *reinterpret_cast<const UnalignedVec4*>(a + 2 * fromStep + k);
      Vec4 r3 = *reinterpret_cast<const UnalignedVec4*>(a + 3 * fromStep + k);
      transposeFour(r0, r1, r2, r3);
      float* t = to + k * toStep + c;
      *reinterpret_cast<UnalignedVec4*>(t) = r0;
      *reinterpret_cast<UnalignedVec4*>(t + toStep) = r1;
      *reinterpret_cast<UnalignedVec4*>(t + 2 * toStep) = r2;
      *reinterpret_cast<UnalignedVec4*>(t + 3 * toStep) = r3;
    }
    for (; k < rows; k++)
      for (Index i = 0; i < 4; i++) to[k * toStep + c + i] = a[i * fromStep + k];
  }
  for (; c < columns; c++)
    for (Index k = 0; k < rows; k++) to[k * toStep + c] = from[c * fromStep + k];
  for (; c < padded; c++)
    for (Index k = 0; k < rows; k++) to[k * toStep + c] = 0.0f;
}

}  // namespace
