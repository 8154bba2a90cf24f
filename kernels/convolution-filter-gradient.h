// The adjoint of a convolution with respect to its filter.
//
// code: the sizes as in convolution.h; then input, cotangent, out, scratch, positions per part.
#pragma once
#include "convolution.h"

namespace {

// The number of positions in one pass of the filter gradient, whose cotangents stay in the L1 cache.
constexpr Index sweepPositions = 128;

struct Sweep {
  Index positions;
  Index step;  // between the cotangents of two positions
  const Index* x;
};

/// out[r·outStep + 0..columns) += Σ over positions p of x[sweep.x[p] + r] · cotangent[p·step + 0..columns).
template <int R, int N>
static void gradientTile(const Sweep& s, const float* x, const float* cotangent, float* out, Index outStep, Index columns) {
  Vec sum[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; r++)
#pragma GCC unroll 16
    for (int v = 0; v < N; v++) sum[r][v] = splat(0.0f);
  const Index step = s.step;
  const Index* offset = s.x;
  for (const Index* end = offset + s.positions; offset < end; offset++, cotangent += step) {
    const float* at = x + *offset;
    Vec given[N];
#pragma GCC unroll 16
    for (int v = 0; v < N; v++) given[v] = load(cotangent + v * VL);
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
      const Vec value = splat(at[r]);
#pragma GCC unroll 16
      for (int v = 0; v < N; v++) sum[r][v] = multiplyAdd(sum[r][v], value, given[v]);
    }
  }
  if (columns == N * VL) {
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 16
      for (int v = 0; v < N; v++) store(out + r * outStep + v * VL, load(out + r * outStep + v * VL) + sum[r][v]);
  } else if (hasMasks) {
    const Index last = columns - (N - 1) * VL;
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
      float* row = out + r * outStep;
#pragma GCC unroll 16
      for (int v = 0; v < N - 1; v++) store(row + v * VL, load(row + v * VL) + sum[r][v]);
      storePartial(row + (N - 1) * VL, loadPartial(row + (N - 1) * VL, last) + sum[r][N - 1], last);
    }
  } else {
    alignas(64) float lanes[R][N * VL];
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 16
      for (int v = 0; v < N; v++) store(lanes[r] + v * VL, sum[r][v]);
    for (int r = 0; r < R; r++)
      for (Index c = 0; c < columns; c++) out[r * outStep + c] += lanes[r][c];
  }
}

template <int R>
SOFTRL_INLINE void gradientTileOfWidth(const Sweep& s, const float* x, const float* cotangent, float* out, Index outStep,
                                       Index columns) {
  if (columns > VL) gradientTile<R, 2>(s, x, cotangent, out, outStep, columns);
  else gradientTile<R, 1>(s, x, cotangent, out, outStep, columns);
}

static void gradientOfRows(Index rows, const Sweep& s, const float* x, const float* cotangent, float* out, Index outStep,
                           Index columns) {
  switch (rows) {
    case 1: return gradientTileOfWidth<1>(s, x, cotangent, out, outStep, columns);
    case 2: return gradientTileOfWidth<2>(s, x, cotangent, out, outStep, columns);
    case 3: return gradientTileOfWidth<3>(s, x, cotangent, out, outStep, columns);
    case 4: return gradientTileOfWidth<4>(s, x, cotangent, out, outStep, columns);
#if SOFTRL_GRADIENT_ROWS > 4
    case 5: return gradientTileOfWidth<5>(s, x, cotangent, out, outStep, columns);
    case 6: return gradientTileOfWidth<6>(s, x, cotangent, out, outStep, columns);
#endif
#if SOFTRL_GRADIENT_ROWS > 6
    case 7: return gradientTileOfWidth<7>(s, x, cotangent, out, outStep, columns);
    case 8: return gradientTileOfWidth<8>(s, x, cotangent, out, outStep, columns);
    case 9: return gradientTileOfWidth<9>(s, x, cotangent, out, outStep, columns);
    case 10: return gradientTileOfWidth<10>(s, x, cotangent, out, outStep, columns);
    case 11: return gradientTileOfWidth<11>(s, x, cotangent, out, outStep, columns);
    case 12: return gradientTileOfWidth<12>(s, x, cotangent, out, outStep, columns);
    case 13: return gradientTileOfWidth<13>(s, x, cotangent, out, outStep, columns);
    case 14: return gradientTileOfWidth<14>(s, x, cotangent, out, outStep, columns);
#endif
    default: return;
  }
}

/// out = Σ over the positions [begin, end) of the patch of each position times its cotangents.
static void gradientOfPositions(const Convolution& c, const float* input, const float* cotangents, Index begin, Index end,
                                float* out, float* scratch) {
  const Index length = c.filterWidth * c.channels;
  const Index tile = balanced(length, gradientRows);
  const Index padded = roundUp(c.filters);
  const Positions all = {input,
                         nullptr,
                         c.outWidth,
                         c.outHeight,
                         0,
                         0,
                         c.strideX * c.channels,
                         c.strideY * c.width * c.channels,
                         c.height * c.width * c.channels,
                         0,
                         0,
                         0,
                         0,
                         0,
                         0,
                         nullptr,
                         nullptr};
  Positions positions = all.from(begin);

  fillFloats(out, 0.0f, c.filterHeight * length * c.filters);
  for (Index first = begin; first < end; first += sweepPositions) {
    Index offsets[sweepPositions];
    const Index count = end - first < sweepPositions ? end - first : sweepPositions;
    for (Index i = 0; i < count; i++) {
      offsets[i] = positions.at - input;
      positions.next();
    }
    const float* cotangent = cotangents + first * c.filters;
    if (padded != c.filters) {
      for (Index i = 0; i < count; i++) {
        copyFloats(scratch + i * padded, cotangent + i * c.filters, c.filters);
        for (Index f = c.filters; f < padded; f++) scratch[i * padded + f] = 0.0f;
      }
      cotangent = scratch;
    }
    const Sweep sweep = {count, padded, offsets};
    // Prefetches the image of the next pass, below the rows that this pass reads, a part with each tile.
    const Index tiles = (c.filters + panelColumns - 1) / panelColumns * c.filterHeight * ((length + tile - 1) / tile);
    Ahead ahead(input + offsets[count - 1] + (c.filterHeight - 1) * c.width * c.channels,
                first + count < end ? offsets[count - 1] - offsets[0] + length : 0, tiles);
    for (Index column = 0; column < c.filters; column += panelColumns) {
      const Index columns = c.filters - column < panelColumns ? c.filters - column : panelColumns;
      for (Index i = 0; i < c.filterHeight; i++)
        for (Index r = 0; r < length; r += tile) {
          const Index rows = length - r < tile ? length - r : tile;
          ahead.next();
          gradientOfRows(rows, sweep, input + i * c.width * c.channels + r, cotangent + column,
                         out + (i * length + r) * c.filters + column, c.filters, columns);
        }
    }
  }
}

SOFTRL_INLINE void addFloats(float* to, const float* from, Index count) {
  Index i = 0;
  for (; i + VL <= count; i += VL) store(to + i, load(to + i) + load(from + i));
  for (; i < count; i++) to[i] += from[i];
}

static void runConv2dFilterGradient(const int32* code, float* arena, Team* team) {
  const Convolution c(code);
  code += 10;
  const float* input = arena + code[0];
  const float* cotangents = arena + code[1];
  float* out = arena + code[2];
  float* scratch = arena + code[3];
  const Index size = code[4];
  const Index total = c.batch * c.outHeight * c.outWidth;
  const Index parts = partCount(total, size);
  const Index length = c.filterHeight * c.filterWidth * c.channels * c.filters;
  // Scratch contains the padded cotangents of a pass, then the sums of all parts except the first.
  const Index sweepSize = (total < sweepPositions ? total : sweepPositions) * roundUp(c.filters);
  float* sums = scratch + sweepSize;

  Team* helpers = teamFor(team, parts > 1 ? 2.0 * total * length : 0.0);
  if (helpers && helpers->reserve(helpers, static_cast<int>(sweepSize))) {
    eachPart(helpers, parts, [&](Index part, int thread) {
      const Index begin = part * size, end = total - begin < size ? total : begin + size;
      gradientOfPositions(c, input, cotangents, begin, end, part == 0 ? out : sums + (part - 1) * length,
                          helpers->scratch[thread]);
    });
    for (Index part = 1; part < parts; part++) addFloats(out, sums + (part - 1) * length, length);
    return;
  }
  for (Index part = 0; part < parts; part++) {
    const Index begin = part * size, end = total - begin < size ? total : begin + size;
    gradientOfPositions(c, input, cotangents, begin, end, part == 0 ? out : sums, scratch);
    if (part > 0) addFloats(out, sums, length);
  }
}

}  // namespace
