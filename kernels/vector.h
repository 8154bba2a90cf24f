// Vectors of SOFTRL_VL floats, written with the vector extensions of the compilers, so that one source works
// for every target.
#pragma once

#ifndef SOFTRL_VL
#if defined(__AVX512F__)
#define SOFTRL_VL 16
#elif defined(__AVX2__)
#define SOFTRL_VL 8
#else
#define SOFTRL_VL 4
#endif
#endif

#if SOFTRL_VL == 16
#include <immintrin.h>
#endif

#define SOFTRL_INLINE inline __attribute__((always_inline))

// Everything is static: objects for several instruction sets are linked into one addon, each with its own
// entry point.
namespace {

typedef __INT32_TYPE__ int32;
typedef __PTRDIFF_TYPE__ Index;

constexpr int VL = SOFTRL_VL;

typedef float Vec __attribute__((vector_size(VL * 4)));
typedef int32 IntVec __attribute__((vector_size(VL * 4)));
typedef float UnalignedVec __attribute__((vector_size(VL * 4), aligned(4), may_alias));
typedef float Vec4 __attribute__((vector_size(16)));
typedef float UnalignedVec4 __attribute__((vector_size(16), aligned(4), may_alias));

// The number of registers determines the shape of a tile: 32 with AVX-512, otherwise 16. V8 leaves 15 and
// loads all operands of a step before it multiplies, so with a fifth row the sums would be kept in memory. A fused
// multiply-add needs no register for the product, so six rows fit.
#if SOFTRL_VL == 16
#define SOFTRL_TILE_ROWS 10
#elif defined(__wasm_relaxed_simd__)
#define SOFTRL_TILE_ROWS 6
#elif defined(__wasm__)
#define SOFTRL_TILE_ROWS 4
#else
#define SOFTRL_TILE_ROWS 5
#endif
constexpr int tileRows = SOFTRL_TILE_ROWS;
constexpr int tileVectors = 2;
#if SOFTRL_VL == 16
#define SOFTRL_GRADIENT_ROWS 14
#elif defined(__wasm_relaxed_simd__)
#define SOFTRL_GRADIENT_ROWS 6
#else
#define SOFTRL_GRADIENT_ROWS 4
#endif
constexpr int gradientRows = SOFTRL_GRADIENT_ROWS;
constexpr int panelColumns = tileVectors * VL;

SOFTRL_INLINE Vec load(const float* p) { return *reinterpret_cast<const UnalignedVec*>(p); }
SOFTRL_INLINE void store(float* p, Vec v) { *reinterpret_cast<UnalignedVec*>(p) = v; }
SOFTRL_INLINE Vec splat(float x) {
  Vec zero = {};
  return x - zero;
}
/// sum + a · b, in the products that take most of the time. With relaxed SIMD the engine chooses between one rounding and
/// two, and keeps to its choice; otherwise the compiler may contract it.
SOFTRL_INLINE Vec multiplyAdd(Vec sum, Vec a, Vec b) {
#ifdef __wasm_relaxed_simd__
  // f32x4.relaxed_madd by its final encoding: the intrinsic of clang 14 has that of an early draft.
  Vec result;
  asm("local.get %1\n local.get %2\n local.get %3\n .byte 0xfd, 0x85, 0x02\n local.set %0"
      : "=r"(result)
      : "r"(a), "r"(b), "r"(sum));
  return result;
#else
  return sum + a * b;
#endif
}
/// The same arithmetic for one float, so that a remainder rounds as the vectors do.
SOFTRL_INLINE float multiplyAdd(float sum, float a, float b) {
#ifdef __wasm_relaxed_simd__
  return multiplyAdd(splat(sum), splat(a), splat(b))[0];
#else
  return sum + a * b;
#endif
}
SOFTRL_INLINE IntVec bits(Vec v) { return reinterpret_cast<IntVec>(v); }
SOFTRL_INLINE Vec floats(IntVec v) { return reinterpret_cast<Vec>(v); }
SOFTRL_INLINE IntVec splatInt(int32 x) {
  IntVec zero = {};
  return x + zero;
}
/// a where the mask is set, else b. Every lane of a mask is 0 or −1.
SOFTRL_INLINE Vec choose(IntVec mask, Vec a, Vec b) {
#ifdef __wasm__
  return floats((mask & bits(a)) | (~mask & bits(b)));
#else
  // With AVX-512, the compiler makes one instruction of this, and three of the above.
  return mask ? a : b;
#endif
}

SOFTRL_INLINE float asFloat(int32 word) {
  float x;
  __builtin_memcpy(&x, &word, 4);
  return x;
}

/// Adds the upper half of the lanes to the lower half until four are left.
SOFTRL_INLINE Vec4 sumToFour(Vec v) {
#if SOFTRL_VL == 16
  const __m512d whole = reinterpret_cast<__m512d>(v);
  const __m256 halves = reinterpret_cast<__m256>(_mm512_castpd512_pd256(whole)) +
                        reinterpret_cast<__m256>(_mm512_extractf64x4_pd(whole, 1));
  return reinterpret_cast<Vec4>(_mm256_castps256_ps128(halves) + _mm256_extractf128_ps(halves, 1));
#else
  float lanes[VL];
  store(lanes, v);
  UnalignedVec4* fours = reinterpret_cast<UnalignedVec4*>(lanes);
#if SOFTRL_VL >= 8
  fours[0] += fours[1];
#endif
  return fours[0];
#endif
}

/// Adds the lanes pairwise, in a fixed order.
SOFTRL_INLINE float sumLanes(Vec v) {
  const Vec4 four = sumToFour(v);
  return (four[0] + four[2]) + (four[1] + four[3]);
}

#if SOFTRL_VL == 16 && defined(__AVX512DQ__)
/// The maximum or minimum with the order −0 < +0, NaN if either is NaN.
template <int Maximum>
SOFTRL_INLINE Vec extremum(Vec a, Vec b) {
  constexpr int signOfResult = 4;
  const __m512 x = reinterpret_cast<__m512>(a), y = reinterpret_cast<__m512>(b);
  const __m512 result = _mm512_range_ps(x, y, signOfResult | Maximum);
  const __mmask16 unordered = _mm512_cmp_ps_mask(x, y, _CMP_UNORD_Q);
  return reinterpret_cast<Vec>(_mm512_mask_add_ps(result, unordered, x, y));
}
/// Like Math.max.
SOFTRL_INLINE Vec maximum(Vec a, Vec b) { return extremum<1>(a, b); }
/// Like Math.min.
SOFTRL_INLINE Vec minimum(Vec a, Vec b) { return extremum<0>(a, b); }
#else
/// Like Math.max: NaN if either is NaN, and +0 is greater than −0.
SOFTRL_INLINE Vec maximum(Vec a, Vec b) {
  Vec larger = choose(a > b, a, b);
  larger = choose(a == b, floats(bits(a) & bits(b)), larger);
  return choose(a != a, a, larger);
}
/// Like Math.min: NaN if either is NaN, and −0 is less than +0.
SOFTRL_INLINE Vec minimum(Vec a, Vec b) {
  Vec smaller = choose(a < b, a, b);
  smaller = choose(a == b, floats(bits(a) | bits(b)), smaller);
  return choose(a != a, a, smaller);
}
#endif

/// The largest lane, NaN if any is NaN.
SOFTRL_INLINE float maxLanes(Vec v) {
  float lanes[VL];
  store(lanes, v);
  float largest = lanes[0];
  for (int i = 1; i < VL; i++)
    if (!(lanes[i] <= largest) && largest == largest) largest = lanes[i];
  return largest;
}

#if SOFTRL_VL == 16
// The remainder of a row is one masked vector.
constexpr bool hasMasks = true;

SOFTRL_INLINE __mmask16 firstLanes(Index count) { return static_cast<__mmask16>((1u << count) - 1); }

/// The first `count` floats, fewer than VL, followed by zeros.
SOFTRL_INLINE Vec loadPartial(const float* from, Index count) {
  return reinterpret_cast<Vec>(_mm512_maskz_loadu_ps(firstLanes(count), from));
}
/// Stores the first `count` lanes, fewer than VL.
SOFTRL_INLINE void storePartial(float* to, Vec v, Index count) {
  _mm512_mask_storeu_ps(to, firstLanes(count), reinterpret_cast<__m512>(v));
}
/// The first `count` lanes, fewer than VL, followed by zeros.
SOFTRL_INLINE Vec keepLanes(Vec v, Index count) {
  return reinterpret_cast<Vec>(_mm512_maskz_mov_ps(firstLanes(count), reinterpret_cast<__m512>(v)));
}
#else
constexpr bool hasMasks = false;

SOFTRL_INLINE Vec loadPartial(const float* from, Index count) {
  float lanes[VL] = {};
  for (Index i = 0; i < count; i++) lanes[i] = from[i];
  return load(lanes);
}
SOFTRL_INLINE void storePartial(float* to, Vec v, Index count) {
  float lanes[VL];
  store(lanes, v);
  for (Index i = 0; i < count; i++) to[i] = lanes[i];
}
SOFTRL_INLINE Vec keepLanes(Vec v, Index count) {
  float lanes[VL];
  store(lanes, v);
  return loadPartial(lanes, count);
}
#endif

SOFTRL_INLINE void copyFloats(float* to, const float* from, Index count) {
  Index i = 0;
  for (; i + VL <= count; i += VL) store(to + i, load(from + i));
  if (hasMasks) {
    if (i < count) storePartial(to + i, loadPartial(from + i, count - i), count - i);
    return;
  }
  for (; i < count; i++) to[i] = from[i];
}

SOFTRL_INLINE void fillFloats(float* to, float value, Index count) {
  Vec v = splat(value);
  Index i = 0;
  for (; i + VL <= count; i += VL) store(to + i, v);
  if (hasMasks) {
    if (i < count) storePartial(to + i, v, count - i);
    return;
  }
  for (; i < count; i++) to[i] = value;
}

/// Rounds up to a multiple of the vector length.
SOFTRL_INLINE Index roundUp(Index n) { return (n + VL - 1) / VL * VL; }

}  // namespace
