// Strided copies and fills. The encoder sorts the axes so that the one with the smallest stride in out is
// last, and merges contiguous ones.
#pragma once
#include "reduce.h"
#include "transpose.h"

namespace {

/// code: axes, x, out; then per axis (size, stride in x, stride in out).
static void runCopy(const int32* code, float* arena) {
  int32 axes = code[0];
  const int32* last = code + 3 + 3 * (axes - 1);
  const Index n = last[0], xStep = last[1], outStep = last[2];
  const int32* rows = last - 3;
  // A transposition of the last two axes, in bands whose cache lines of out stay in the cache.
  const bool transposed = axes > 1 && outStep == 1 && xStep > 1 && rows[1] == 1;
  if (transposed) axes--;
  // Broadcasts: short rows, or each number of a column repeated a few times.
  if (axes == 2 && !transposed && outStep == 1 && n <= fewColumns) {
    const float* x = arena + code[1];
    float* out = arena + code[2];
    for (Index row = 0; row < rows[0]; row++, x += rows[1], out += rows[2])
      for (Index j = 0; j < n; j++) out[j] = x[j * xStep];
    return;
  }
  Axes from, to;
  for (int32 axis = 0; axis < axes - 1; axis++) {
    from.add(code[3 + 3 * axis], code[4 + 3 * axis]);
    to.add(code[3 + 3 * axis], code[5 + 3 * axis]);
  }
  Cursor read, write;
  for (Index i = 0; i < from.total; i++, read.next(from), write.next(to)) {
    const float* x = arena + code[1] + read.offset;
    float* out = arena + code[2] + write.offset;
    if (transposed)
      for (Index row = 0; row < rows[0]; row += 64) {
        const Index band = rows[0] - row < 64 ? rows[0] - row : 64;
        transpose(out + row * rows[2], rows[2], x + row, xStep, band, n, n);
      }
    else if (outStep == 1 && xStep == 1) copyFloats(out, x, n);
    else if (outStep == 1 && xStep == 0) fillFloats(out, *x, n);
    else if (outStep == 1)
      for (Index j = 0; j < n; j++) out[j] = x[j * xStep];
    else
      for (Index j = 0; j < n; j++) out[j * outStep] = x[j * xStep];
  }
}

/// code: count, bits of the value, out.
static void runFill(const int32* code, float* arena) {
  fillFloats(arena + code[2], asFloat(code[1]), code[0]);
}

}  // namespace
