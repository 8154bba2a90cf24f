// Rows brought to mean 0 and variance 1, and the gradient of that: layer normalisation without its scale and bias.
#pragma once
#include "parts.h"

namespace {

/// Rows of a part that threads share: enough numbers to be worth a claim.
constexpr Index normalisedNumbers = 1 << 14;

struct RowMoments {
  float centre;
  /// 1 / √(σ² + ε)
  float inverse;
};

SOFTRL_INLINE RowMoments rowMoments(const float* x, Index columns, float epsilon) {
  const Index full = columns / VL * VL;
  Vec total = splat(0.0f);
  float rest = 0.0f;
  for (Index i = 0; i < full; i += VL) total = total + load(x + i);
  for (Index i = full; i < columns; i++) rest += x[i];
  const float count = static_cast<float>(columns);
  const float centre = (sumLanes(total) + rest) / count;
  // The mean of squared differences: E[x²] − μ² would lose all digits where |μ| ≫ σ.
  const Vec mean = splat(centre);
  Vec squares = splat(0.0f);
  rest = 0.0f;
  for (Index i = 0; i < full; i += VL) {
    const Vec difference = load(x + i) - mean;
    squares = squares + difference * difference;
  }
  for (Index i = full; i < columns; i++) rest += (x[i] - centre) * (x[i] - centre);
  const float variance = (sumLanes(squares) + rest) / count;
  return {centre, 1.0f / __builtin_sqrtf(variance + epsilon)};
}

SOFTRL_INLINE void normaliseRow(const float* x, float* out, Index columns, float epsilon) {
  const RowMoments row = rowMoments(x, columns, epsilon);
  const Vec centre = splat(row.centre), inverse = splat(row.inverse);
  Index i = 0;
  for (; i + VL <= columns; i += VL) store(out + i, (load(x + i) - centre) * inverse);
  for (; i < columns; i++) out[i] = (x[i] - row.centre) * row.inverse;
}

SOFTRL_INLINE void normaliseGradientRow(const float* x, const float* g, float* out, Index columns, float epsilon) {
  const RowMoments row = rowMoments(x, columns, epsilon);
  const Vec centre = splat(row.centre), inverse = splat(row.inverse);
  const Index full = columns / VL * VL;
  Vec total = splat(0.0f), along = total;
  float rest = 0.0f, restAlong = 0.0f;
  for (Index i = 0; i < full; i += VL) {
    const Vec slope = load(g + i);
    total = total + slope;
    along = along + slope * (load(x + i) - centre);
  }
  for (Index i = full; i < columns; i++) {
    rest += g[i];
    restAlong += g[i] * (x[i] - row.centre);
  }
  const float count = static_cast<float>(columns);
  const float mean = (sumLanes(total) + rest) / count;
  // mean(g y) · r, since each y below is (x − μ) r.
  const float slope = (sumLanes(along) + restAlong) / count * row.inverse * row.inverse;
  const Vec means = splat(mean), slopes = splat(slope);
  for (Index i = 0; i < full; i += VL)
    store(out + i, (load(g + i) - means - (load(x + i) - centre) * slopes) * inverse);
  for (Index i = full; i < columns; i++) out[i] = (g[i] - mean - (x[i] - row.centre) * slope) * row.inverse;
}

/// Calls each(row) for all rows, on the team if they are many.
template <class Each>
SOFTRL_INLINE void eachRow(Index rows, Index columns, Team* team, Each each) {
  const Index numbers = rows * columns;
  const Index size = normalisedNumbers / columns > 1 ? normalisedNumbers / columns : 1;
  eachPart(teamFor(team, 8.0 * static_cast<double>(numbers)), partCount(rows, size), [&](Index part, int) {
    const Index end = (part + 1) * size < rows ? (part + 1) * size : rows;
    for (Index row = part * size; row < end; row++) each(row * columns);
  });
}

/// code: rows, columns, epsilon, x, out.
static void runNormalise(const int32* code, float* arena, Team* team) {
  const Index columns = code[1];
  const float epsilon = asFloat(code[2]);
  const float* x = arena + code[3];
  float* out = arena + code[4];
  eachRow(code[0], columns, team, [=](Index at) { normaliseRow(x + at, out + at, columns, epsilon); });
}

/// code: rows, columns, epsilon, x, cotangent, out.
static void runNormaliseGradient(const int32* code, float* arena, Team* team) {
  const Index columns = code[1];
  const float epsilon = asFloat(code[2]);
  const float* x = arena + code[3];
  const float* g = arena + code[4];
  float* out = arena + code[5];
  eachRow(code[0], columns, team,
          [=](Index at) { normaliseGradientRow(x + at, g + at, out + at, columns, epsilon); });
}

}  // namespace
