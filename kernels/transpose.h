// Transposition, four by four.
#pragma once
#include "vector.h"

namespace {

/// to[k·toStep + c] = from[c·fromStep + k] for c < columns, zeros in [columns, padded).
static void transpose(float* to, Index toStep, const float* from, Index fromStep, Index rows, Index columns, Index padded) {
  Index c = 0;
  for (; c + 4 <= columns; c += 4) {
    const float* a = from + c * fromStep;
    Index k = 0;
#if defined(__clang__) || __GNUC__ >= 12
    for (; k + 4 <= rows; k += 4) {
      const Vec4 r0 = *reinterpret_cast<const UnalignedVec4*>(a + k);
      const Vec4 r1 = *reinterpret_cast<const UnalignedVec4*>(a + fromStep + k);
      const Vec4 r2 = *reinterpret_cast<const UnalignedVec4*>(a + 2 * fromStep + k);
      const Vec4 r3 = *reinterpret_cast<const UnalignedVec4*>(a + 3 * fromStep + k);
      const Vec4 lo01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), hi01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
      const Vec4 lo23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5), hi23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
      float* t = to + k * toStep + c;
      *reinterpret_cast<UnalignedVec4*>(t) = __builtin_shufflevector(lo01, lo23, 0, 1, 4, 5);
      *reinterpret_cast<UnalignedVec4*>(t + toStep) = __builtin_shufflevector(lo01, lo23, 2, 3, 6, 7);
      *reinterpret_cast<UnalignedVec4*>(t + 2 * toStep) = __builtin_shufflevector(hi01, hi23, 0, 1, 4, 5);
      *reinterpret_cast<UnalignedVec4*>(t + 3 * toStep) = __builtin_shufflevector(hi01, hi23, 2, 3, 6, 7);
    }
#endif
    for (; k < rows; k++)
      for (Index i = 0; i < 4; i++) to[k * toStep + c + i] = a[i * fromStep + k];
  }
  for (; c < columns; c++)
    for (Index k = 0; k < rows; k++) to[k * toStep + c] = from[c * fromStep + k];
  for (; c < padded; c++)
    for (Index k = 0; k < rows; k++) to[k * toStep + c] = 0.0f;
}

}  // namespace
