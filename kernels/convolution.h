// Convolutions with valid padding, over NHWC images and HWIO filters, without im2col. The inputs of one
// filter row are contiguous, so every product runs over gathered row segments. The two adjoints are in
// separate files.
//
// code: batch, height, width, channels, filterHeight, filterWidth, filters, strideY, strideX, samples per
// group, then
// input, filter, bias (or −1), out, scratch, epilogue (0 or 1), map.
#pragma once
#include "tile.h"

namespace {

struct Convolution {
  Index batch, height, width, channels, filterHeight, filterWidth, filters, strideY, strideX, group;
  Index outHeight, outWidth;

  explicit Convolution(const int32* code)
      : batch(code[0]), height(code[1]), width(code[2]), channels(code[3]), filterHeight(code[4]), filterWidth(code[5]),
        filters(code[6]), strideY(code[7]), strideX(code[8]), group(code[9]),
        outHeight((height - filterHeight) / strideY + 1), outWidth((width - filterWidth) / strideX + 1) {}
};

// Addresses of image positions in the order (sample, y, x).
struct Positions {
  const float* x;
  float* out;
  Index width, height;
  // If x is an image of `filled` rows with zeros above and below, filter rows that only meet zeros are
  // omitted: at row y of a position, the rows from `before` − y on meet the image. 0 filled rows mean that
  // there are no zeros.
  Index filled, before;
  // The steps of x and out per column, per row and per sample.
  Index xColumn, xRow, xSample, outColumn, outRow, outSample;
  Index column, row, sample;
  // The addresses of the present position; `from` sets them.
  const float* at;
  float* to;

  /// The same positions, starting from this one.
  SOFTRL_INLINE Positions from(Index position) const {
    Positions result = *this;
    result.column = position % width;
    result.row = position / width % height;
    result.sample = position / (width * height);
    result.locate();
    return result;
  }

  SOFTRL_INLINE void locate() {
    at = address();
    to = out + sample * outSample + row * outRow + column * outColumn;
  }

  SOFTRL_INLINE const float* address() const { return x + sample * xSample + row * xRow + column * xColumn; }

  /// The address of the position that is `count` positions after this one.
  SOFTRL_INLINE const float* addressAfter(Index count) const {
    return from((sample * height + row) * width + column + count).address();
  }

  SOFTRL_INLINE void next() {
    at += xColumn;
    to += outColumn;
    if (++column < width) return;
    column = 0;
    if (++row == height) {
      row = 0;
      sample++;
    }
    locate();
  }
};

struct Weights {
  const float* at;
  // Whether the columns are in padded panels; otherwise the distance between rows is the number of columns.
  bool packed;
  Index rows, columns;
};

/// The product of the patches of `count` positions with the weights. Calls `done(n)` when the first n
/// positions are complete.
template <class Done>
SOFTRL_INLINE void gatheredProduct(Positions positions, Index count, Index segments, Index length, Index segmentStep,
                                   const Weights& weights, const float* bias, Done done) {
  constexpr Index most = 8 * tileRows;
  const float* x[most];
  float* to[most];
  Index row[most], sample[most];
  // Tiles that end with a row of the image can omit more zeros.
  const Index width = positions.width;
  const Index acrossTile = balanced(width, tileRows);
  const bool aligned = positions.filled > 0 && width <= most && acrossTile * 5 >= tileRows * 4;
  const Index chunk = aligned ? most / width * width : most;

  for (Index first = 0; first < count; first += chunk) {
    const Index n = count - first < chunk ? count - first : chunk;
    for (Index i = 0; i < n; i++) {
      row[i] = positions.row;
      sample[i] = positions.sample;
      x[i] = positions.at;
      to[i] = positions.to;
      positions.next();
    }
    const Index tile = aligned ? acrossTile : balanced(n, tileRows);
    // Prefetches the input of the next chunk beyond the last patch of this one, and its output, a part with
    // each tile: the hardware does not predict the short pieces in which images are read.
    const Index following = count - first - n < chunk ? count - first - n : chunk;
    const bool fetches = following > 0 && positions.filled == 0;
    Ahead imageAhead(x[n - 1] + (segments - 1) * segmentStep + length,
                     fetches ? positions.addressAfter(following - 1) - x[n - 1] : 0, (n + tile - 1) / tile);
    Ahead outAhead(to[n - 1] + weights.columns, fetches ? following * weights.columns : 0, (n + tile - 1) / tile);
    for (Index column = 0; column < weights.columns; column += panelColumns) {
      const Index columns = weights.columns - column < panelColumns ? weights.columns - column : panelColumns;
      const Index wStep = weights.packed ? panelWidth(columns) : weights.columns;
      const float* w = weights.at + (weights.packed ? column * weights.rows : column);
      float start[panelColumns];
      panelStart(start, bias, column, columns);
      for (Index i = 0; i < n;) {
        const Index left = aligned ? width - i % width : n - i;
        const Index rows = left < tile ? left : tile;
        Index from = 0, end = segments;
        const Index top = row[i], bottom = row[i + rows - 1];
        if (positions.filled > 0 && sample[i] == sample[i + rows - 1]) {
          if (positions.before - bottom > from) from = positions.before - bottom;
          if (positions.before - top + positions.filled < end) end = positions.before - top + positions.filled;
          if (end < from) end = from;
        }
        const float* at[tileRows];
        float* out[tileRows];
        for (Index r = 0; r < rows; r++) {
          at[r] = x[i + r] + from * segmentStep;
          out[r] = to[i + r] + column;
        }
        imageAhead.next();
        outAhead.next();
        const Product task = {static_cast<int>(end - from), length, segmentStep, 0, w + from * length * wStep, wStep, start,
                              columns};
        productRows<false>(task, rows, at, out);
        i += rows;
      }
    }
    done(first + n);
  }
}

#if SOFTRL_VL == 16
// Filters as wide as those of MinAtar's networks, whose results are one vector: a general tile loads an input for each
// product. Here an input serves all positions that it belongs to, and the weights of a filter row are in registers.
constexpr int acrossFilter = 3, acrossRow = 8, mostRowChannels = 7;

SOFTRL_INLINE bool hasRowTiles(const Convolution& c) {
  return c.filters <= VL && c.filterWidth == acrossFilter && c.strideX == 1 && c.outWidth % acrossRow == 0 &&
         c.channels <= mostRowChannels;
}

/// acrossRow positions beside each other, from x on; sums in the order of productTile.
template <int Channels>
static void convolveRow(const float* x, Index rowStep, Index rows, const float* w, Vec start, float* out, Index filters) {
  Vec sum[acrossRow];
#pragma GCC unroll 16
  for (int p = 0; p < acrossRow; p++) sum[p] = start;
  for (Index row = 0; row < rows; row++, x += rowStep, w += acrossFilter * Channels * VL) {
    Vec weights[acrossFilter * Channels];
#pragma GCC unroll 32
    for (int k = 0; k < acrossFilter * Channels; k++) weights[k] = load(w + k * VL);
#pragma GCC unroll 16
    for (int column = 0; column < acrossRow + acrossFilter - 1; column++)
#pragma GCC unroll 16
      for (int channel = 0; channel < Channels; channel++) {
        const Vec value = splat(x[column * Channels + channel]);
#pragma GCC unroll 16
        for (int j = 0; j < acrossFilter; j++)
          if (column >= j && column - j < acrossRow) sum[column - j] += value * weights[j * Channels + channel];
      }
  }
  if (filters == VL) {
#pragma GCC unroll 16
    for (int p = 0; p < acrossRow; p++) store(out + p * VL, sum[p]);
  } else {
    float lanes[acrossRow * VL];
#pragma GCC unroll 16
    for (int p = 0; p < acrossRow; p++) store(lanes + p * VL, sum[p]);
    for (int p = 0; p < acrossRow; p++) copyFloats(out + p * filters, lanes + p * VL, filters);
  }
}

/// One sample; w holds a vector for each input of a filter.
template <int Channels>
static void convolveSample(const Convolution& c, const float* x, const float* w, Vec start, float* out) {
  const Index rowStep = c.width * Channels;
  for (Index row = 0; row < c.outHeight; row++)
    for (Index column = 0; column < c.outWidth; column += acrossRow)
      convolveRow<Channels>(x + row * c.strideY * rowStep + column * Channels, rowStep, c.filterHeight, w, start,
                            out + (row * c.outWidth + column) * c.filters, c.filters);
}

static void convolveSample(const Convolution& c, const float* x, const float* w, Vec start, float* out) {
  switch (c.channels) {
    case 1: return convolveSample<1>(c, x, w, start, out);
    case 2: return convolveSample<2>(c, x, w, start, out);
    case 3: return convolveSample<3>(c, x, w, start, out);
    case 4: return convolveSample<4>(c, x, w, start, out);
    case 5: return convolveSample<5>(c, x, w, start, out);
    case 6: return convolveSample<6>(c, x, w, start, out);
    default: return convolveSample<mostRowChannels>(c, x, w, start, out);
  }
}
#endif

static void runConv2d(const int32* code, float* arena, Team* team) {
  const Convolution c(code);
  code += 10;
  const int32* epilogue = code[5] ? code + 6 : nullptr;
  const Index depth = c.filterHeight * c.filterWidth * c.channels;
  Weights weights = {arena + code[1], false, depth, c.filters};
  if (c.filters % VL) {
    float* scratch = arena + code[4];
    for (Index column = 0; column < c.filters; column += panelColumns) {
      const Index left = c.filters - column;
      packRows(scratch + column * depth, weights.at + column, c.filters, depth, left < panelColumns ? left : panelColumns);
    }
    weights.at = scratch;
    weights.packed = true;
  }
  const float* bias = code[2] < 0 ? nullptr : arena + code[2];
#if SOFTRL_VL == 16
  if (hasRowTiles(c)) {
    float start[panelColumns];
    panelStart(start, bias, 0, c.filters);
    const Index inputs = c.height * c.width * c.channels, outputs = c.outHeight * c.outWidth * c.filters;
    eachPart(teamFor(team, 2.0 * c.batch * outputs * depth), c.batch, [&](Index sample, int) {
      convolveSample(c, arena + code[0] + sample * inputs, weights.at, load(start), arena + code[3] + sample * outputs);
      runEpilogue(epilogue, arena, sample * outputs, (sample + 1) * outputs);
    });
    return;
  }
#endif
  const Positions positions = {arena + code[0],
                               arena + code[3],
                               c.outWidth,
                               c.outHeight,
                               0,
                               0,
                               c.strideX * c.channels,
                               c.strideY * c.width * c.channels,
                               c.height * c.width * c.channels,
                               c.filters,
                               c.outWidth * c.filters,
                               c.outHeight * c.outWidth * c.filters,
                               0,
                               0,
                               0,
                               nullptr,
                               nullptr};
  const Index total = c.batch * c.outHeight * c.outWidth;
  Team* helpers = teamFor(team, 2.0 * total * depth * c.filters);
  const Index size = helpers ? partSize(total, 32, 8 * tileRows) : total;
  eachPart(helpers, partCount(total, size), [&](Index part, int) {
    const Index first = part * size;
    Index finished = first;
    gatheredProduct(positions.from(first), total - first < size ? total - first : size, c.filterHeight,
                    c.filterWidth * c.channels, c.width * c.channels, weights, bias, [&](Index positionsDone) {
                      runEpilogue(epilogue, arena, finished * c.filters, (first + positionsDone) * c.filters);
                      finished = first + positionsDone;
                    });
  });
}

}  // namespace
