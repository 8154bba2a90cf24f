// Kernels over the rows of a matrix: gather, scatter, and the logarithm of a sum of exponentials.
#pragma once
#include "functions.h"

namespace {

/// The column of an index, or −1 if it is not a column.
SOFTRL_INLINE int32 columnOf(float index, int32 columns) {
  if (!(index >= 0.0f && index < static_cast<float>(columns))) return -1;
  const int32 column = static_cast<int32>(index);
  return static_cast<float>(column) == index && column < columns ? column : -1;
}

/// code: rows, columns, x, index, out.
static void runGather(const int32* code, float* arena) {
  const Index rows = code[0], columns = code[1];
  for (Index r = 0; r < rows; r++) {
    const int32 column = columnOf(arena[code[3] + r], code[1]);
    arena[code[4] + r] = column < 0 ? __builtin_nanf("") : arena[code[2] + r * columns + column];
  }
}

static void runScatter(const int32* code, float* arena) {
  const Index rows = code[0], columns = code[1];
  for (Index r = 0; r < rows; r++) {
    const int32 column = columnOf(arena[code[3] + r], code[1]);
    float* row = arena + code[4] + r * columns;
    fillFloats(row, column < 0 ? __builtin_nanf("") : 0.0f, columns);
    if (column >= 0) row[column] = arena[code[2] + r];
  }
}

// log Σ exp of a row in two parts: its largest value, which is subtracted so that nothing overflows, and the
// rest.
struct Normaliser {
  float top;
  float rest;
};

SOFTRL_INLINE Normaliser logSumExp(const float* x, Index n) {
  const Index full = n / VL * VL;
  const Vec low = splat(-__builtin_inff());
  Vec largest = low;
  Vec tail = low;
  if (full < n) {
    float lanes[VL];
    store(lanes, low);
    for (Index i = full; i < n; i++) lanes[i - full] = x[i];
    tail = load(lanes);
    largest = tail;
  }
  for (Index i = 0; i < full; i += VL) largest = maximum(largest, load(x + i));
  const float top = maxLanes(largest);
  // If all values are −∞, or there is a +∞ or a NaN, the result is the largest value.
  if (!(top - top == 0.0f)) return {top, 0.0f};
  const Vec shift = splat(top);
  Vec sum = full < n ? exponential(tail - shift) : splat(0.0f);
  for (Index i = 0; i < full; i += VL) sum = sum + exponential(load(x + i) - shift);
  return {top, logarithmOf(sumLanes(sum))};
}

constexpr Index narrowColumns = 32;

// Narrow rows, VL at a time, one per lane: lanes[c·VL + r] contains column c of row r.
SOFTRL_INLINE void logSumExpLanes(const float* lanes, Index columns, Vec& top, Vec& rest) {
  top = load(lanes);
  for (Index c = 1; c < columns; c++) top = maximum(top, load(lanes + c * VL));
  const IntVec finite = top - top == splat(0.0f);
  const Vec shift = choose(finite, top, splat(0.0f));
  Vec sum = splat(0.0f);
  for (Index c = 0; c < columns; c++) sum = sum + exponential(load(lanes + c * VL) - shift);
  rest = choose(finite, logarithm(sum), splat(0.0f));
}

/// code: rows, columns, x, out.
template <bool Softmax>
static void runLogSpace(const int32* code, float* arena) {
  const Index rows = code[0], columns = code[1];
  const float* x = arena + code[2];
  float* out = arena + code[3];
  if (columns <= narrowColumns) {
    alignas(64) float lanes[narrowColumns * VL];
    alignas(64) float results[VL];
    for (Index row = 0; row < rows; row += VL, x += VL * columns) {
      const Index n = rows - row < VL ? rows - row : VL;
      for (Index c = 0; c < columns; c++)
        for (Index r = 0; r < VL; r++) lanes[c * VL + r] = r < n ? x[r * columns + c] : 0.0f;
      Vec top, rest;
      logSumExpLanes(lanes, columns, top, rest);
      if (!Softmax) {
        store(results, top + rest);
        for (Index r = 0; r < n; r++) out[row + r] = results[r];
        continue;
      }
      // If the largest value is infinite, there are no valid probabilities: all results are NaN.
      rest = choose(top - top == splat(0.0f), rest, splat(__builtin_nanf("")));
      for (Index c = 0; c < columns; c++) {
        store(results, load(lanes + c * VL) - top - rest);
        for (Index r = 0; r < n; r++) out[(row + r) * columns + c] = results[r];
      }
    }
    return;
  }
  for (Index r = 0; r < rows; r++, x += columns) {
    const Normaliser normaliser = logSumExp(x, columns);
    if (!Softmax) {
      out[r] = normaliser.top + normaliser.rest;
      continue;
    }
    float* row = out + r * columns;
    const float top = normaliser.top;
    const float rest = top - top == 0.0f ? normaliser.rest : __builtin_nanf("");
    Index i = 0;
    for (; i + VL <= columns; i += VL) store(row + i, load(x + i) - splat(top) - splat(rest));
    for (; i < columns; i++) row[i] = x[i] - top - rest;
  }
}

}  // namespace
