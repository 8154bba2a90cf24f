// Rows brought to mean 0 and variance 1, and the gradient of that: layer normalisation without its scale and bias.
#pragma once
#include "parts.h"

namespace {

/// Rows of a part that threads share: enough numbers to be worth a claim.
constexpr Index normalisedNumbers = 1 << 14;

/// Rows that are computed together, so that no sum waits for another. One in WebAssembly, whose modules should be small.
#ifdef __wasm__
constexpr int rowsTogether = 1;
#else
constexpr int rowsTogether = 4;
#endif

/// A number for each of R rows.
template <int R>
struct RowNumbers {
  float of[R];
};

/// Σ f(r, x_i, …) over the columns of R rows beside each other; f takes vectors and single numbers.
template <int R, class F, class... Rows>
SOFTRL_INLINE RowNumbers<R> sumOver(Index columns, F f, Rows... x) {
  const Index full = columns / VL * VL;
  Vec total[R];
  float rest[R];
#pragma GCC unroll 4
  for (int r = 0; r < R; r++) {
    total[r] = splat(0.0f);
    rest[r] = 0.0f;
  }
  for (Index i = 0; i < full; i += VL)
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) total[r] = total[r] + f(r, load(x + r * columns + i)...);
  const Index left = columns - full;
  if (left > 0) {
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
      if (hasMasks) total[r] = total[r] + keepLanes(f(r, loadPartial(x + r * columns + full, left)...), left);
      else
        for (Index i = full; i < columns; i++) rest[r] += f(r, x[r * columns + i]...);
    }
  }
  RowNumbers<R> sums;
  if (R == 4) {
    const Vec4 lanes = sumLanesOfFour(total[0], total[1 % R], total[2 % R], total[3 % R]);
    for (int r = 0; r < R; r++) sums.of[r] = lanes[r] + rest[r];
  } else {
    for (int r = 0; r < R; r++) sums.of[r] = sumLanes(total[r]) + rest[r];
  }
  return sums;
}

/// out_i = f(r, x_i, …) in R rows.
template <int R, class F, class... Rows>
SOFTRL_INLINE void writeRows(float* out, Index columns, F f, Rows... x) {
  const Index full = columns / VL * VL, left = columns - full;
#pragma GCC unroll 4
  for (int r = 0; r < R; r++, out += columns) {
    const Index at = r * columns;
    for (Index i = 0; i < full; i += VL) store(out + i, f(r, load(x + at + i)...));
    if (hasMasks && left > 0) storePartial(out + full, f(r, loadPartial(x + at + full, left)...), left);
    if (!hasMasks)
      for (Index i = full; i < columns; i++) out[i] = f(r, x[at + i]...);
  }
}

template <int R>
struct RowMoments {
  RowNumbers<R> centre;
  /// 1 / √(σ² + ε)
  RowNumbers<R> inverse;
};

template <int R>
SOFTRL_INLINE RowMoments<R> rowMoments(const float* x, Index columns, float epsilon) {
  const float count = static_cast<float>(columns);
  RowMoments<R> rows;
  rows.centre = sumOver<R>(columns, [](int, auto value) { return value; }, x);
  for (int r = 0; r < R; r++) rows.centre.of[r] /= count;
  // The mean of squared differences: E[x²] − μ² would lose all digits where |μ| ≫ σ.
  const auto square = [&](int r, auto value) { return (value - rows.centre.of[r]) * (value - rows.centre.of[r]); };
  const RowNumbers<R> squares = sumOver<R>(columns, square, x);
  for (int r = 0; r < R; r++) rows.inverse.of[r] = 1.0f / __builtin_sqrtf(squares.of[r] / count + epsilon);
  return rows;
}

template <int R>
SOFTRL_INLINE void normaliseRows(const float* x, float* out, Index columns, float epsilon) {
  const RowMoments<R> rows = rowMoments<R>(x, columns, epsilon);
  writeRows<R>(out, columns, [&](int r, auto value) { return (value - rows.centre.of[r]) * rows.inverse.of[r]; }, x);
}

template <int R>
SOFTRL_INLINE void normaliseGradientRows(const float* x, const float* g, float* out, Index columns, float epsilon) {
  const RowMoments<R> rows = rowMoments<R>(x, columns, epsilon);
  const float count = static_cast<float>(columns);
  RowNumbers<R> mean = sumOver<R>(columns, [](int, auto given) { return given; }, g);
  const auto along = [&](int r, auto given, auto value) { return given * (value - rows.centre.of[r]); };
  RowNumbers<R> slope = sumOver<R>(columns, along, g, x);
  for (int r = 0; r < R; r++) {
    mean.of[r] /= count;
    // mean(g y) · r, since each y below is (x − μ) r.
    slope.of[r] = slope.of[r] / count * rows.inverse.of[r] * rows.inverse.of[r];
  }
  const auto gradient = [&](int r, auto given, auto value) {
    return (given - mean.of[r] - (value - rows.centre.of[r]) * slope.of[r]) * rows.inverse.of[r];
  };
  writeRows<R>(out, columns, gradient, g, x);
}

/// Calls some(at) for rowsTogether rows from `at` on, or one(at) for one, until all rows are done; on the team if they are
/// many.
template <class Some, class One>
SOFTRL_INLINE void eachRow(Index rows, Index columns, Team* team, Some some, One one) {
  const Index numbers = rows * columns;
  const Index groups = normalisedNumbers / columns / rowsTogether;
  const Index size = groups > 1 ? groups * rowsTogether : rowsTogether;
  eachPart(teamFor(team, 8.0 * static_cast<double>(numbers)), partCount(rows, size), [&](Index part, int) {
    const Index end = (part + 1) * size < rows ? (part + 1) * size : rows;
    Index row = part * size;
    for (; row + rowsTogether <= end; row += rowsTogether) some(row * columns);
    if (rowsTogether > 1)
      for (; row < end; row++) one(row * columns);
  });
}

/// code: rows, columns, epsilon, x, out.
static void runNormalise(const int32* code, float* arena, Team* team) {
  const Index columns = code[1];
  const float epsilon = asFloat(code[2]);
  const float* x = arena + code[3];
  float* out = arena + code[4];
  eachRow(
      code[0], columns, team, [=](Index at) { normaliseRows<rowsTogether>(x + at, out + at, columns, epsilon); },
      [=](Index at) { normaliseRows<1>(x + at, out + at, columns, epsilon); });
}

/// code: rows, columns, epsilon, x, cotangent, out.
static void runNormaliseGradient(const int32* code, float* arena, Team* team) {
  const Index columns = code[1];
  const float epsilon = asFloat(code[2]);
  const float* x = arena + code[3];
  const float* g = arena + code[4];
  float* out = arena + code[5];
  eachRow(
      code[0], columns, team, [=](Index at) { normaliseGradientRows<rowsTogether>(x + at, g + at, out + at, columns, epsilon); },
      [=](Index at) { normaliseGradientRows<1>(x + at, g + at, out + at, columns, epsilon); });
}

}  // namespace
