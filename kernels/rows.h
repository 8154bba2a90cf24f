// Kernels over the rows of a matrix: gather, scatter, and the logarithm of a sum of exponentials.
#pragma once
#include "functions.h"

namespace {

/// The column that a float names, or −1.
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

// log Σ exp of a row in two parts: its largest value, taken out so that nothing overflows, and the rest.
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
  // All −∞, a +∞ or a NaN: the largest value is the answer.
  if (!(top - top == 0.0f)) return {top, 0.0f};
  const Vec shift = splat(top);
  Vec sum = full < n ? exponential(tail - shift) : splat(0.0f);
  for (Index i = 0; i < full; i += VL) sum = sum + exponential(load(x + i) - shift);
  return {top, logarithmOf(sumLanes(sum))};
}

/// code: rows, columns, x, out.
static void runLogSumExp(const int32* code, float* arena) {
  const Index rows = code[0], columns = code[1];
  for (Index r = 0; r < rows; r++) {
    const Normaliser normaliser = logSumExp(arena + code[2] + r * columns, columns);
    arena[code[3] + r] = normaliser.top + normaliser.rest;
  }
}

static void runLogSoftmax(const int32* code, float* arena) {
  const Index rows = code[0], columns = code[1];
  for (Index r = 0; r < rows; r++) {
    const float* x = arena + code[2] + r * columns;
    float* out = arena + code[3] + r * columns;
    const Normaliser normaliser = logSumExp(x, columns);
    Index i = 0;
    for (; i + VL <= columns; i += VL) store(out + i, load(x + i) - splat(normaliser.top) - splat(normaliser.rest));
    for (; i < columns; i++) out[i] = x[i] - normaliser.top - normaliser.rest;
  }
}

}  // namespace
