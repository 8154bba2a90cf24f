// The inner loop of matrix products and convolutions: a tile of outputs in registers.
//
// out[r, 0..columns) = start + Σ_s Σ_k x[r][s·segmentStep + k] · w[(s·length + k)·wStep + 0..columns), where
// x[r] is any address: the rows of a matrix, or the patches of an image (one segment per filter row). Each
// output is summed in the order of s and k for every tile size, so the result of a row does not depend on its
// neighbours.
#pragma once
#include "map.h"
#include "transpose.h"

namespace {

struct Product {
  int segments;
  Index length;
  Index segmentStep;
  // The distance between consecutive k in x if x is stored transposed; then x[r] = x[0] + r.
  Index kStep;
  const float* w;
  Index wStep;
  // panelColumns floats to start from, or null to start from the contents of out.
  const float* start;
  Index columns;
  // The number of floats of w to skip after each segment.
  Index wSkip = 0;
};

template <int R, int N, bool Transposed>
static void productTile(const Product& task, const float* const* x, float* const* out) {
  Vec sum[R][N];
  const bool whole = task.columns == N * VL;
  if (task.start) {
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 16
      for (int v = 0; v < N; v++) sum[r][v] = load(task.start + v * VL);
  } else if (whole) {
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 16
      for (int v = 0; v < N; v++) sum[r][v] = load(out[r] + v * VL);
  } else if (hasMasks) {
    const Index last = task.columns - (N - 1) * VL;
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
#pragma GCC unroll 16
      for (int v = 0; v < N - 1; v++) sum[r][v] = load(out[r] + v * VL);
      sum[r][N - 1] = loadPartial(out[r] + (N - 1) * VL, last);
    }
  } else {
    alignas(64) float lanes[R][N * VL];
    for (int r = 0; r < R; r++)
      for (Index c = 0; c < N * VL; c++) lanes[r][c] = c < task.columns ? out[r][c] : 0.0f;
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 16
      for (int v = 0; v < N; v++) sum[r][v] = load(lanes[r] + v * VL);
  }

  const float* w = task.w;
  const Index wStep = task.wStep, length = task.length;
  if (Transposed) {
    const float* row = x[0];
    for (Index k = 0; k < length; k++, w += wStep, row += task.kStep) {
      Vec weights[N];
#pragma GCC unroll 16
      for (int v = 0; v < N; v++) weights[v] = load(w + v * VL);
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) {
        const Vec value = splat(row[r]);
#pragma GCC unroll 16
        for (int v = 0; v < N; v++) sum[r][v] = multiplyAdd(sum[r][v], value, weights[v]);
      }
    }
  } else {
    const float* rows[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) rows[r] = x[r];
    for (int s = 0; s < task.segments; s++) {
      for (Index k = 0; k < length; k++, w += wStep) {
        Vec weights[N];
#pragma GCC unroll 16
        for (int v = 0; v < N; v++) weights[v] = load(w + v * VL);
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) {
          const Vec value = splat(rows[r][k]);
#pragma GCC unroll 16
          for (int v = 0; v < N; v++) sum[r][v] = multiplyAdd(sum[r][v], value, weights[v]);
        }
      }
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) rows[r] += task.segmentStep;
      w += task.wSkip;
    }
  }

  if (whole) {
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 16
      for (int v = 0; v < N; v++) store(out[r] + v * VL, sum[r][v]);
  } else if (hasMasks) {
    const Index last = task.columns - (N - 1) * VL;
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
#pragma GCC unroll 16
      for (int v = 0; v < N - 1; v++) store(out[r] + v * VL, sum[r][v]);
      storePartial(out[r] + (N - 1) * VL, sum[r][N - 1], last);
    }
  } else {
    alignas(64) float lanes[R][N * VL];
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 16
      for (int v = 0; v < N; v++) store(lanes[r] + v * VL, sum[r][v]);
    for (int r = 0; r < R; r++)
      for (Index c = 0; c < task.columns; c++) out[r][c] = lanes[r][c];
  }
}

template <int R, bool Transposed>
SOFTRL_INLINE void productTileOfWidth(const Product& task, const float* const* x, float* const* out) {
  if (task.columns > VL) productTile<R, 2, Transposed>(task, x, out);
  else productTile<R, 1, Transposed>(task, x, out);
}

/// A tile of up to tileRows rows and up to panelColumns columns.
template <bool Transposed>
static void productRows(const Product& task, Index rows, const float* const* x, float* const* out) {
  switch (rows) {
    case 1: return productTileOfWidth<1, Transposed>(task, x, out);
    case 2: return productTileOfWidth<2, Transposed>(task, x, out);
    case 3: return productTileOfWidth<3, Transposed>(task, x, out);
    case 4: return productTileOfWidth<4, Transposed>(task, x, out);
#if SOFTRL_TILE_ROWS > 4
    case 5: return productTileOfWidth<5, Transposed>(task, x, out);
#endif
#if SOFTRL_TILE_ROWS > 5
    case 6: return productTileOfWidth<6, Transposed>(task, x, out);
#endif
#if SOFTRL_TILE_ROWS > 6
    case 7: return productTileOfWidth<7, Transposed>(task, x, out);
    case 8: return productTileOfWidth<8, Transposed>(task, x, out);
    case 9: return productTileOfWidth<9, Transposed>(task, x, out);
    case 10: return productTileOfWidth<10, Transposed>(task, x, out);
#endif
    default: return;
  }
}

// ---- Weights in panels: panel j holds the columns [j·panelColumns, …) of every row, padded to whole vectors.

SOFTRL_INLINE Index panelWidth(Index columnsLeft) {
  return columnsLeft < panelColumns ? roundUp(columnsLeft) : panelColumns;
}

/// to[k, 0..width) = from[k·step + 0..columns), followed by zeros.
SOFTRL_INLINE void packRows(float* to, const float* from, Index step, Index rows, Index columns) {
  const Index width = panelWidth(columns);
  for (Index k = 0; k < rows; k++, to += width, from += step) {
    if (columns >= width) {
      for (Index v = 0; v < width; v += VL) store(to + v, load(from + v));
    } else {
      Index c = 0;
      for (; c + VL <= columns; c += VL) store(to + c, load(from + c));
      store(to + c, loadPartial(from + c, columns - c));
    }
  }
}

/// The initial sums of a panel: the bias, or zeros.
SOFTRL_INLINE void panelStart(float* start, const float* bias, Index column, Index columns) {
  for (Index c = 0; c < panelColumns; c += VL) store(start + c, splat(0.0f));
  // Not a condition per column: compilers turn it into a masked load, which takes a hundred nanoseconds
  // without a bias.
  if (bias) copyFloats(start, bias + column, columns);
}

/// The size of tile i when `rows` are split into as few tiles as possible, of nearly equal sizes.
SOFTRL_INLINE Index balanced(Index rows, Index most) {
  const Index tiles = (rows + most - 1) / most;
  return (rows + tiles - 1) / tiles;
}

// Memory that is needed soon, prefetched in order and in small pieces: because of the order, the hardware
// prefetches too.
struct Ahead {
  const float* at;
  const float* end;
  Index step;

  SOFTRL_INLINE Ahead(const float* from, Index count, Index steps)
      : at(from), end(from + count), step((count / steps / 16 + 1) * 16) {}

  SOFTRL_INLINE void next() {
    for (const float* stop = end - at < step ? end : at + step; at < stop; at += 16) __builtin_prefetch(at, 0, 2);
  }
};

SOFTRL_INLINE void runEpilogue(const int32* epilogue, float* arena, Index start, Index end) {
  if (epilogue) runMap(epilogue, arena, start, end);
}

}  // namespace
