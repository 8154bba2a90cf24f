// Sums and maxima over axes, each in a fixed order. Partial sums of short runs keep long float32 sums
// accurate.
//
// code: operation (0 sum, 1 max, 2 sum of squares, which reduces all elements), axes, x, out; then per axis
// (size, reduced). Adjacent axes of the same kind are merged.
#pragma once
#include "parts.h"

namespace {

struct Sum {
  static constexpr float empty = 0.0f;
  template <class V>
  SOFTRL_INLINE static V of(V x) { return x; }
  SOFTRL_INLINE static Vec combine(Vec a, Vec b) { return a + b; }
  SOFTRL_INLINE static float combine(float a, float b) { return a + b; }
  SOFTRL_INLINE static float lanes(Vec v) { return sumLanes(v); }
};

struct SumOfSquares : Sum {
  template <class V>
  SOFTRL_INLINE static V of(V x) { return x * x; }
};

struct Max {
  static constexpr float empty = -__builtin_inff();
  template <class V>
  SOFTRL_INLINE static V of(V x) { return x; }
  SOFTRL_INLINE static Vec combine(Vec a, Vec b) { return maximum(a, b); }
  SOFTRL_INLINE static float combine(float a, float b) { return maximum(splat(a), splat(b))[0]; }
  SOFTRL_INLINE static float lanes(Vec v) { return maxLanes(v); }
};

constexpr Index reduceRun = 1024;

/// One run of contiguous elements, four vectors at a time.
template <class R>
SOFTRL_INLINE float reduceContiguous(const float* x, Index n) {
  Index i = 0;
  float result = R::empty;
  if (n >= VL) {
    Vec a = splat(R::empty), b = a, c = a, d = a;
    for (; i + 4 * VL <= n; i += 4 * VL) {
      a = R::combine(a, R::of(load(x + i)));
      b = R::combine(b, R::of(load(x + i + VL)));
      c = R::combine(c, R::of(load(x + i + 2 * VL)));
      d = R::combine(d, R::of(load(x + i + 3 * VL)));
    }
    for (; i + VL <= n; i += VL) a = R::combine(a, R::of(load(x + i)));
    result = R::lanes(R::combine(R::combine(a, b), R::combine(c, d)));
  }
  for (; i < n; i++) result = R::combine(result, R::of(x[i]));
  return result;
}

// All axes except the last: sizes and strides, of kept and of reduced axes.
struct Axes {
  int count = 0;
  Index size[6];
  Index stride[6];
  Index total = 1;

  void add(Index n, Index s) {
    size[count] = n;
    stride[count++] = s;
    total *= n;
  }
};

// Iterates over the offsets of all index combinations of an Axes, the last axis fastest.
struct Cursor {
  Index at[6] = {};
  Index offset = 0;

  SOFTRL_INLINE void next(const Axes& axes) {
    for (int axis = axes.count - 1; axis >= 0; axis--) {
      offset += axes.stride[axis];
      if (++at[axis] < axes.size[axis]) return;
      offset -= axes.stride[axis] * axes.size[axis];
      at[axis] = 0;
    }
  }
};

/// N vectors of columns (or fewer than VL columns, N = 1) over all reduced rows.
template <class R, int N>
SOFTRL_INLINE void reduceColumns(const float* x, const Axes& reduced, float* out, Index columns) {
  Vec total[N];
#pragma GCC unroll 4
  for (int v = 0; v < N; v++) total[v] = splat(R::empty);
  Cursor cursor;
  Index left = reduced.total;
  while (left > 0) {
    Index run = left < 256 ? left : 256;
    left -= run;
    Vec part[N];
#pragma GCC unroll 4
    for (int v = 0; v < N; v++) part[v] = splat(R::empty);
    for (; run > 0; run--, cursor.next(reduced)) {
      const float* row = x + cursor.offset;
      if (columns < VL) part[0] = R::combine(part[0], loadPartial(row, columns));
      else
#pragma GCC unroll 4
        for (int v = 0; v < N; v++) part[v] = R::combine(part[v], load(row + v * VL));
    }
#pragma GCC unroll 4
    for (int v = 0; v < N; v++) total[v] = R::combine(total[v], part[v]);
  }
  if (columns < VL) {
    float lanes[VL];
    store(lanes, total[0]);
    for (Index i = 0; i < columns; i++) out[i] = lanes[i];
  } else {
#pragma GCC unroll 4
    for (int v = 0; v < N; v++) store(out + v * VL, total[v]);
  }
}

template <class R>
static void reduceAxes(const int32* code, float* arena) {
  const int32 axes = code[1];
  const float* x = arena + code[2];
  float* out = arena + code[3];
  const Index last = code[4 + 2 * (axes - 1)];
  const bool lastReduced = code[5 + 2 * (axes - 1)] != 0;
  Axes kept, reduced;
  Index strides[6];
  Index stride = 1;
  for (int32 axis = axes - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= code[4 + 2 * axis];
  }
  for (int32 axis = 0; axis < axes - 1; axis++)
    (code[5 + 2 * axis] ? reduced : kept).add(code[4 + 2 * axis], strides[axis]);

  Cursor outer;
  for (Index k = 0; k < kept.total; k++, outer.next(kept)) {
    const float* base = x + outer.offset;
    if (!lastReduced) {
      float* row = out + k * last;
      Index j = 0;
      for (; j + 4 * VL <= last; j += 4 * VL) reduceColumns<R, 4>(base + j, reduced, row + j, 4 * VL);
      for (; j + VL <= last; j += VL) reduceColumns<R, 1>(base + j, reduced, row + j, VL);
      if (j < last) reduceColumns<R, 1>(base + j, reduced, row + j, last - j);
      continue;
    }
    double total = R::empty;
    Cursor inner;
    for (Index r = 0; r < reduced.total; r++, inner.next(reduced)) {
      for (Index j = 0; j < last; j += reduceRun) {
        const Index n = last - j < reduceRun ? last - j : reduceRun;
        const float part = reduceContiguous<R>(base + inner.offset + j, n);
        if (R::empty == 0.0f) total += part;
        else total = R::combine(static_cast<float>(total), part);
      }
    }
    out[k] = static_cast<float>(total);
  }
}

// Long sums of few numbers or columns are split at positions that only depend on the sizes.
constexpr Index maxCuts = 16;
constexpr Index maxCutColumns = 128;

/// Reduces all of x[n]: first within each part, then over the parts.
template <class R>
static void reduceAll(const float* x, Index n, float* out, Team* team) {
  double results[maxCuts];
  const Index size = partSize(n, maxCuts, 16 * reduceRun);
  const Index cuts = partCount(n, size);
  eachPart(teamFor(team, 4.0 * n), cuts, [&](Index cut, int) {
    const Index end = n - cut * size < size ? n : (cut + 1) * size;
    double total = R::empty;
    for (Index j = cut * size; j < end; j += reduceRun) {
      const float part = reduceContiguous<R>(x + j, end - j < reduceRun ? end - j : reduceRun);
      if (R::empty == 0.0f) total += part;
      else total = R::combine(static_cast<float>(total), part);
    }
    results[cut] = total;
  });
  double total = results[0];
  for (Index cut = 1; cut < cuts; cut++) {
    if (R::empty == 0.0f) total += results[cut];
    else total = R::combine(static_cast<float>(total), static_cast<float>(results[cut]));
  }
  *out = static_cast<float>(total);
}

/// Reduces x[rows, columns] over its rows, for few columns: first within each part, then over the parts.
template <class R>
static void reduceRows(const float* x, Index rows, Index columns, float* out, Team* team) {
  float results[maxCuts * maxCutColumns];
  const Index size = partSize(rows, maxCuts, 1024);
  const Index cuts = partCount(rows, size);
  eachPart(teamFor(team, 4.0 * rows * columns), cuts, [&](Index cut, int) {
    const float* from = x + cut * size * columns;
    float* to = cuts == 1 ? out : results + cut * columns;
    Axes reduced;
    reduced.add(rows - cut * size < size ? rows - cut * size : size, columns);
    Index j = 0;
    for (; j + 4 * VL <= columns; j += 4 * VL) reduceColumns<R, 4>(from + j, reduced, to + j, 4 * VL);
    for (; j + VL <= columns; j += VL) reduceColumns<R, 1>(from + j, reduced, to + j, VL);
    if (j < columns) reduceColumns<R, 1>(from + j, reduced, to + j, columns - j);
  });
  if (cuts == 1) return;
  for (Index c = 0; c < columns; c++) {
    float total = results[c];
    for (Index cut = 1; cut < cuts; cut++) total = R::combine(total, results[cut * columns + c]);
    out[c] = total;
  }
}

constexpr Index fewColumns = 8;

/// Reduces each row of x[rows, columns], with at most fewColumns columns.
template <class R>
static void reduceFew(const float* x, Index rows, Index columns, float* out) {
  for (Index r = 0; r < rows; r++, x += columns) {
    float total = x[0];
    for (Index c = 1; c < columns; c++) total = R::combine(total, x[c]);
    out[r] = total;
  }
}

/// Reduces x[rows, columns] over its rows, several rows per vector; columns divides the vector length.
template <class R>
static void reduceInterleaved(const float* x, Index rows, Index columns, float* out) {
  const Index n = rows * columns, whole = n / VL * VL;
  Vec total = splat(R::empty);
  for (Index start = 0; start < whole; start += 256 * VL) {
    const Index end = whole - start < 256 * VL ? whole : start + 256 * VL;
    Vec part = splat(R::empty);
    for (Index i = start; i < end; i += VL) part = R::combine(part, load(x + i));
    total = R::combine(total, part);
  }
  float lanes[VL];
  store(lanes, total);
  for (Index c = 0; c < columns; c++) {
    float column = lanes[c];
    for (Index lane = c + columns; lane < VL; lane += columns) column = R::combine(column, lanes[lane]);
    for (Index i = whole + c; i < n; i += columns) column = R::combine(column, x[i]);
    out[c] = column;
  }
}

template <class R>
SOFTRL_INLINE void reduceBy(const int32* code, float* arena, Team* team) {
  const float* x = arena + code[2];
  float* out = arena + code[3];
  const bool rowsOfFew = code[1] == 2 && code[5] && !code[7] && code[6] <= maxCutColumns;
  const bool fewToARow = code[1] == 2 && !code[5] && code[7] && code[6] <= fewColumns;
  if (code[1] == 1 && code[5]) reduceAll<R>(x, code[4], out, team);
  else if (fewToARow) reduceFew<R>(x, code[4], code[6], out);
  else if (rowsOfFew && code[6] < VL && VL % code[6] == 0) reduceInterleaved<R>(x, code[4], code[6], out);
  else if (rowsOfFew) reduceRows<R>(x, code[4], code[6], out, team);
  else reduceAxes<R>(code, arena);
}

static void runReduce(const int32* code, float* arena, Team* team) {
  if (code[0] == 2) reduceAll<SumOfSquares>(arena + code[2], code[4], arena + code[3], team);
  else if (code[0]) reduceBy<Max>(code, arena, team);
  else reduceBy<Sum>(code, arena, team);
}

}  // namespace
