// Matrix products.
//
// code: m, k, n, transposeA, transposeB, a, b, bias (or −1), out, scratch, epilogue (0 or 1), then the map of
// the epilogue.
#pragma once
#include "tile.h"

namespace {

// The rows of weights in a packed panel: with two vectors of columns it fits into the L1 cache.
constexpr Index panelRows = VL == 16 ? 128 : 256;

// The most rows of a that are transposed instead of the weights, and their most columns.
constexpr Index acrossRows = 32, acrossDepth = 256;

// Larger weights are streamed.
constexpr Index streamedWeights = 262144;
/// The number of rows of streamed weights that are used together: they stay in the L2 cache.
SOFTRL_INLINE Index streamedRows(Index columns) {
  const Index rows = 32768 / columns / 16 * 16;
  return rows < 16 ? 16 : rows > panelRows ? panelRows : rows;
}

/// Whether a few tiles of rows read the weights in place, some whole rows at a time that stay in the L1 cache.
SOFTRL_INLINE bool readsInPlace(Index m, Index k, Index n) {
  return VL == 16 && m <= 4 * tileRows && n % panelColumns == 0 && n <= 256 && k * n > 65536 && k * n <= streamedWeights;
}
/// The number of those rows.
SOFTRL_INLINE Index rowsInPlace(Index columns) { return 8192 / columns; }

struct Matrices {
  Index m, k, n;
  bool transposeA, transposeB;
  const float* a;
  const float* b;
  const float* bias;
  float* out;
  float* scratch;
};

// A block of out: rows [row, rowEnd), columns [column, columnEnd). Its columns start at a panel.
struct Block {
  Index row, rowEnd, column, columnEnd;
};

/// A block of the general case; calls `done(from, to)` when these rows are complete.
template <class Done>
static void matmulBlock(const Matrices& p, const Block& cut, float* scratch, Done done) {
  const Index m = p.m, k = p.k, n = p.n;
  const Index across = cut.columnEnd - cut.column;
  const bool inPlace = !p.transposeB && readsInPlace(m, k, n);
  // Strided weights are read in place if there are few of them, or few rows that use them.
  const bool pack = m > 2 * tileRows && k * n > 8192 && !inPlace;
  // Weights that do not fit into any cache are read once, several whole rows at a time.
  const bool streamed = inPlace || (!p.transposeB && k * n > streamedWeights);
  Index depth = k;
  if (streamed) depth = inPlace ? rowsInPlace(across) : streamedRows(across);
  Index block = 65536 / n / tileRows * tileRows;
  if (block < 8 * tileRows) block = 8 * tileRows;
  float start[panelColumns];

  for (Index row = cut.row; row < cut.rowEnd; row += block) {
    const Index rows = cut.rowEnd - row < block ? cut.rowEnd - row : block;
    const Index tile = balanced(rows, tileRows);
    const Index tiles = (rows + tile - 1) / tile;
    for (Index from = 0; from < k; from += depth) {
      const Index end = k - from < depth ? k : from + depth;
      Ahead rowsAhead(p.b + end * n, streamed && across == n ? (k - end < depth ? k - end : depth) * n : 0,
                      tiles * ((across + panelColumns - 1) / panelColumns));
      for (Index column = cut.column; column < cut.columnEnd; column += panelColumns) {
        const Index columns = cut.columnEnd - column < panelColumns ? cut.columnEnd - column : panelColumns;
        const Index width = panelWidth(columns);
        const bool packed = p.transposeB || pack || columns != width;
        const Index most = packed ? panelRows : end - from;
        const Index left = cut.columnEnd - column - columns;
        Ahead columnsAhead(p.b + (column + columns) * k, p.transposeB ? (left < columns ? left : columns) * k : 0,
                           tiles * ((k + panelRows - 1) / panelRows));
        panelStart(start, p.bias, column, columns);
        for (Index at = from; at < end; at += most) {
          const Index length = end - at < most ? end - at : most;
          const float* w = p.b + at * n + column;
          if (p.transposeB) transpose(scratch, width, p.b + column * k + at, k, length, columns, width);
          else if (packed) packRows(scratch, w, n, length, columns);
          const Product task = {1,      length, 0, m, packed ? scratch : w, packed ? width : n, at == 0 ? start : nullptr,
                                columns};
          for (Index i = 0; i < rows; i += tile) {
            const Index count = rows - i < tile ? rows - i : tile;
            const float* x[tileRows];
            float* out[tileRows];
            for (Index r = 0; r < count; r++) {
              x[r] = p.transposeA ? p.a + at * m + row + i + r : p.a + (row + i + r) * k + at;
              out[r] = p.out + (row + i + r) * n + column;
            }
            rowsAhead.next();
            columnsAhead.next();
            if (p.transposeA) productRows<true>(task, count, x, out);
            else productRows<false>(task, count, x, out);
          }
        }
      }
    }
    done(row, row + rows);
  }
}

/// The general case, then the epilogue.
static void matmulPanels(const Matrices& p, const int32* epilogue, float* arena, Team* team) {
  Team* helpers = teamFor(team, 2.0 * p.m * p.k * p.n);
  if (!helpers || !helpers->reserve(helpers, panelColumns * panelRows)) {
    matmulBlock(p, {0, p.m, 0, p.n}, p.scratch,
                [&](Index from, Index to) { runEpilogue(epilogue, arena, from * p.n, to * p.n); });
    return;
  }
  // Split columns first: each part packs its own weights. Split rows if there are few columns.
  constexpr Index most = 32;
  const Index columns = partSize(p.n, most, panelColumns);
  const Index across = partCount(p.n, columns);
  const Index rows = across * 2 > most ? p.m : partSize(p.m, most / across, 4 * tileRows);
  eachPart(helpers, across * partCount(p.m, rows), [&](Index part, int thread) {
    const Index row = part / across * rows, column = part % across * columns;
    const Block cut = {row, p.m - row < rows ? p.m : row + rows, column, p.n - column < columns ? p.n : column + columns};
    matmulBlock(p, cut, helpers->scratch[thread], [](Index, Index) {});
  });
  if (epilogue) runMapShared(epilogue, arena, 0, p.m * p.n, team);
}

/// One row: reads the rows of b in the order of memory, eight at a time.
static void matmulRow(const Matrices& p) {
  const Index n = p.n;
  if (p.bias) copyFloats(p.out, p.bias, n);
  else fillFloats(p.out, 0.0f, n);
  for (Index from = 0; from < p.k; from += 8) {
    const Index rows = p.k - from < 8 ? p.k - from : 8;
    const float* a = p.a + from;
    const float* b = p.b + from * n;
    Index c = 0;
    if (rows == 8) {
      for (; c + VL <= n; c += VL) {
        Vec sum = load(p.out + c);
#pragma GCC unroll 8
        for (Index r = 0; r < 8; r++) sum = multiplyAdd(sum, splat(a[r]), load(b + r * n + c));
        store(p.out + c, sum);
      }
    } else {
      for (; c + VL <= n; c += VL) {
        Vec sum = load(p.out + c);
        for (Index r = 0; r < rows; r++) sum = multiplyAdd(sum, splat(a[r]), load(b + r * n + c));
        store(p.out + c, sum);
      }
    }
    for (; c < n; c++)
      for (Index r = 0; r < rows; r++) p.out[c] = multiplyAdd(p.out[c], a[r], b[r * n + c]);
  }
}

// Up to this many products per sum, the weights of a panel stay in registers for all rows.
constexpr Index shallowDepth = 4;
// With more results than this, they would no longer be in the cache when the epilogue runs.
constexpr Index shallowOut = 65536;

template <int K, int N>
static void shallowPanel(const Matrices& p, const float* weights, const float* start, Index column, Index columns) {
  Vec w[K][N], first[N];
#pragma GCC unroll 4
  for (int v = 0; v < N; v++) {
    first[v] = load(start + v * VL);
#pragma GCC unroll 4
    for (int k = 0; k < K; k++) w[k][v] = load(weights + k * N * VL + v * VL);
  }
  const float* a = p.a;
  float* out = p.out + column;
  for (Index row = 0; row < p.m; row++, a += K, out += p.n) {
    Vec sum[N];
#pragma GCC unroll 4
    for (int v = 0; v < N; v++) sum[v] = first[v];
#pragma GCC unroll 4
    for (int k = 0; k < K; k++)
#pragma GCC unroll 4
      for (int v = 0; v < N; v++) sum[v] = multiplyAdd(sum[v], splat(a[k]), w[k][v]);
    if (columns == N * VL) {
#pragma GCC unroll 4
      for (int v = 0; v < N; v++) store(out + v * VL, sum[v]);
    } else if (hasMasks) {
#pragma GCC unroll 4
      for (int v = 0; v < N - 1; v++) store(out + v * VL, sum[v]);
      storePartial(out + (N - 1) * VL, sum[N - 1], columns - (N - 1) * VL);
    } else {
      float lanes[N * VL];
#pragma GCC unroll 4
      for (int v = 0; v < N; v++) store(lanes + v * VL, sum[v]);
      copyFloats(out, lanes, columns);
    }
  }
}

template <int K>
static void matmulShallow(const Matrices& p) {
  float start[panelColumns];
  for (Index column = 0; column < p.n; column += panelColumns) {
    const Index columns = p.n - column < panelColumns ? p.n - column : panelColumns;
    const Index width = panelWidth(columns);
    panelStart(start, p.bias, column, columns);
    if (p.transposeB) transpose(p.scratch, width, p.b + column * K, K, K, columns, width);
    else packRows(p.scratch, p.b + column, p.n, K, columns);
    if (width > VL) shallowPanel<K, tileVectors>(p, p.scratch, start, column, columns);
    else shallowPanel<K, 1>(p, p.scratch, start, column, columns);
  }
}

static void matmulShallow(const Matrices& p) {
  switch (p.k) {
    case 1: return matmulShallow<1>(p);
    case 2: return matmulShallow<2>(p);
    case 3: return matmulShallow<3>(p);
    default: return matmulShallow<shallowDepth>(p);
  }
}

/// R rows of a times N rows of transposed weights, one vector of k at a time.
template <int R, int N>
SOFTRL_INLINE void dotTile(const float* a, const float* w, Index k, float* out, Index n, const float* bias) {
  Vec sum[R][N] = {};
  const Index full = k / VL * VL;
  for (Index i = 0; i < full; i += VL) {
    Vec x[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) x[r] = load(a + r * k + i);
#pragma GCC unroll 16
    for (int c = 0; c < N; c++) {
      const Vec weights = load(w + c * k + i);
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) sum[r][c] = multiplyAdd(sum[r][c], x[r], weights);
    }
  }
  if (full < k) {
    Vec x[R];
    for (int r = 0; r < R; r++) x[r] = loadPartial(a + r * k + full, k - full);
    for (int c = 0; c < N; c++) {
      const Vec weights = loadPartial(w + c * k + full, k - full);
      for (int r = 0; r < R; r++) sum[r][c] = multiplyAdd(sum[r][c], x[r], weights);
    }
  }
#pragma GCC unroll 16
  for (int c = 0; c < N; c++) {
    const float start = bias ? bias[c] : 0.0f;
    if (R == 4) {
      const Vec4 sums = sumLanesOfFour(sum[0][c], sum[1 % R][c], sum[2 % R][c], sum[3 % R][c]);
      for (int r = 0; r < R; r++) out[r * n + c] = sums[r] + start;
    } else {
      for (int r = 0; r < R; r++) out[r * n + c] = sumLanes(sum[r][c]) + start;
    }
  }
}

template <int R>
SOFTRL_INLINE void dotRows(const Matrices& p, const float* w, Index row) {
  const float* a = p.a + row * p.k;
  float* out = p.out + row * p.n;
  Index c = 0;
  for (; c + 2 <= p.n; c += 2) dotTile<R, 2>(a, w + c * p.k, p.k, out + c, p.n, p.bias ? p.bias + c : nullptr);
  if (c < p.n) dotTile<R, 1>(a, w + c * p.k, p.k, out + c, p.n, p.bias ? p.bias + c : nullptr);
}

/// Few columns: dot products with the transposed weights.
static void matmulDots(const Matrices& p) {
  const float* w = p.b;
  if (!p.transposeB) {
    transpose(p.scratch, p.k, p.b, p.n, p.n, p.k, p.k);
    w = p.scratch;
  }
  Index row = 0;
  for (; row + 4 <= p.m; row += 4) dotRows<4>(p, w, row);
  for (; row < p.m; row++) dotRows<1>(p, w, row);
}

// Not in WebAssembly, whose modules are part of every page and should be small.
#ifndef __wasm__
/// Whether matmulAcross is possible, and faster since it transposes less.
SOFTRL_INLINE bool transposesLessAcross(const Matrices& p) {
  return p.transposeB && !p.transposeA && !p.bias && p.m >= VL && roundUp(p.m) <= acrossRows && p.k <= acrossDepth &&
         2 * p.m * (p.k + p.n) <= p.n * p.k;
}

/// a times transposed weights, for few rows of a: computes the transposed result, whose columns are the rows of a. So the
/// weights are read in place, and a and the result are transposed instead, which have fewer elements. The sums are the
/// same.
static void matmulAcross(const Matrices& p, Team* team) {
  // Tiles whose results are transposed together.
  constexpr Index chunk = 8 * tileRows;
  const Index m = p.m, k = p.k;
  float start[panelColumns];
  panelStart(start, nullptr, 0, 0);
  for (Index column = 0; column < m; column += panelColumns) {
    const Index columns = m - column < panelColumns ? m - column : panelColumns;
    const Index width = panelWidth(columns);
    transpose(p.scratch + column * k, width, p.a + column * k, k, k, columns, width);
  }
  Team* helpers = teamFor(team, 2.0 * m * k * p.n);
  const Index size = helpers ? partSize(p.n, 32, chunk) : p.n;
  eachPart(helpers, partCount(p.n, size), [&](Index part, int) {
    const Index end = p.n - part * size < size ? p.n : (part + 1) * size;
    float results[chunk * acrossRows];
    for (Index first = part * size; first < end; first += chunk) {
      const Index rows = end - first < chunk ? end - first : chunk;
      const Index tile = balanced(rows, tileRows);
      const Index left = end - first - rows;
      Ahead ahead(p.b + (first + rows) * k, (left < chunk ? left : chunk) * k, (rows + tile - 1) / tile);
      for (Index i = 0; i < rows; i += tile) {
        const Index count = rows - i < tile ? rows - i : tile;
        ahead.next();
        for (Index column = 0; column < m; column += panelColumns) {
          const Index columns = m - column < panelColumns ? m - column : panelColumns;
          const Product task = {1, k, 0, 0, p.scratch + column * k, panelWidth(columns), start, columns};
          const float* x[tileRows];
          float* out[tileRows];
          for (Index r = 0; r < count; r++) {
            x[r] = p.b + (first + i + r) * k;
            out[r] = results + (i + r) * m + column;
          }
          productRows<false>(task, count, x, out);
        }
      }
      // Four rows of out at a time: more of them could be lines of one set of the cache.
      for (Index row = 0; row < m; row += 4)
        transpose(p.out + row * p.n + first, p.n, results + row, m, m - row < 4 ? m - row : 4, rows, rows);
    }
  });
}
#endif

static void runMatmul(const int32* code, float* arena, Team* team) {
  Matrices p;
  p.m = code[0];
  p.k = code[1];
  p.n = code[2];
  p.transposeA = code[3] != 0;
  p.transposeB = code[4] != 0;
  p.a = arena + code[5];
  p.b = arena + code[6];
  p.bias = code[7] < 0 ? nullptr : arena + code[7];
  p.out = arena + code[8];
  p.scratch = arena + code[9];
  const int32* epilogue = code[10] ? code + 11 : nullptr;

  if (p.m == 1 && !p.transposeB && p.n >= VL) {
    matmulRow(p);
    runEpilogue(epilogue, arena, 0, p.n);
  } else if (p.n < VL && p.n * 2 <= VL + 2 && !p.transposeA && p.k >= 2 * VL) {
    matmulDots(p);
    runEpilogue(epilogue, arena, 0, p.m * p.n);
  } else if (p.k <= shallowDepth && !p.transposeA && p.n >= VL && p.m * p.n <= shallowOut) {
    matmulShallow(p);
    runEpilogue(epilogue, arena, 0, p.m * p.n);
#ifndef __wasm__
  } else if (transposesLessAcross(p)) {
    matmulAcross(p, team);
    if (epilogue) runMapShared(epilogue, arena, 0, p.m * p.n, team);
#endif
  } else if (p.n < VL && p.transposeA && p.m >= VL) {
    // A transposed product with few columns: its transposed result has long rows.
    Matrices q = p;
    q.m = p.n;
    q.n = p.m;
    q.a = p.b;
    q.b = p.a;
    q.transposeA = !p.transposeB;
    q.transposeB = false;
    q.bias = nullptr;
    if (q.m == 1) {
      matmulRow(q);
    } else {
      q.out = p.scratch;
      q.scratch = p.scratch + p.m * p.n;
      matmulPanels(q, nullptr, arena, team);
      transpose(p.out, p.n, p.scratch, p.m, p.m, p.n, p.n);
    }
    if (p.bias)
      for (Index i = 0; i < p.m; i++)
        for (Index j = 0; j < p.n; j++) p.out[i * p.n + j] += p.bias[j];
    runEpilogue(epilogue, arena, 0, p.m * p.n);
  } else {
    matmulPanels(p, epilogue, arena, team);
  }
}

}  // namespace
