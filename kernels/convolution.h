// Convolutions with valid padding and their two adjoints, over NHWC images and HWIO filters, without im2col:
// the inputs that one filter row sees are contiguous, so every product runs over gathered row segments.
//
// code: batch, height, width, channels, filterHeight, filterWidth, filters, strideY, strideX, samples a group, then
//   conv2d: input, filter, bias (or −1), out, scratch, epilogue (0 or 1), map
//   conv2dInputGradient: cotangent, filter, out, scratch, epilogue (0 or 1), map
//   conv2dFilterGradient: input, cotangent, out, scratch, positions a part
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

// Addresses of image positions in the order of (sample, y, x).
struct Positions {
  const float* x;
  float* out;
  Index width, height;
  // Where x is an image of `filled` rows with zeros above and below, the filter rows that meet only zeros are left
  // out: at a position's row y the rows from `before` − y on meet the image. 0 filled rows: there are no zeros.
  Index filled, before;
  // Steps of x and out by column, by row and by sample.
  Index xColumn, xRow, xSample, outColumn, outRow, outSample;
  Index column, row, sample;

  /// The same positions from this one on.
  SOFTRL_INLINE Positions from(Index position) const {
    Positions result = *this;
    result.column = position % width;
    result.row = position / width % height;
    result.sample = position / (width * height);
    return result;
  }

  SOFTRL_INLINE void next(const float*& from, float*& to) {
    from = x + sample * xSample + row * xRow + column * xColumn;
    to = out + sample * outSample + row * outRow + column * outColumn;
    if (++column < width) return;
    column = 0;
    if (++row < height) return;
    row = 0;
    sample++;
  }
};

struct Weights {
  const float* at;
  // Whether the columns lie in padded panels, else the distance of rows is the number of columns.
  bool packed;
  Index rows, columns;
};

/// Brings [from, to) nearer before it is needed: images are read in short pieces that hardware does not foresee.
SOFTRL_INLINE void prefetch(const float* from, const float* to) {
  for (; from < to; from += 16) __builtin_prefetch(from);
}

/// The product of `count` positions' patches with the weights; `done(n)` when the first n positions are complete.
template <class Done>
SOFTRL_INLINE void gatheredProduct(Positions positions, Index count, Index segments, Index length, Index segmentStep,
                                   const Weights& weights, const float* bias, Done done) {
  constexpr Index most = 8 * tileRows;
  const float* x[most];
  float* to[most];
  Index row[most], sample[most];
  // Tiles that end with the image's rows can leave out more zeros.
  const Index width = positions.width;
  const Index acrossTile = balanced(width, tileRows);
  const bool aligned = positions.filled > 0 && width <= most && acrossTile * 5 >= tileRows * 4;
  const Index chunk = aligned ? most / width * width : most;

  for (Index first = 0; first < count; first += chunk) {
    const Index n = count - first < chunk ? count - first : chunk;
    for (Index i = 0; i < n; i++) {
      row[i] = positions.row;
      sample[i] = positions.sample;
      positions.next(x[i], to[i]);
    }
    const Index tile = aligned ? acrossTile : balanced(n, tileRows);
    // The next chunk's input, a part with each tile.
    const Index ahead = (x[n - 1] - x[0]) * tile / n + 16;
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
        if (column == 0 && first + n < count && positions.filled == 0) {
          const float* next = x[n - 1] + (i / tile) * ahead + (segments - 1) * segmentStep;
          prefetch(next, next + ahead);
        }
        const Product task = {static_cast<int>(end - from), length, segmentStep, 0, w + from * length * wStep, wStep, start,
                              columns};
        productRows<false>(task, rows, at, out);
        i += rows;
      }
    }
    done(first + n);
  }
}

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
                               0};
  const Index total = c.batch * c.outHeight * c.outWidth;
  Team* helpers = teamFor(team, 2.0 * total * depth * c.filters);
  const Index size = helpers ? partSize(total, 32, 8 * tileRows) : total;
  const float* bias = code[2] < 0 ? nullptr : arena + code[2];
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

/// Positions of one stride phase: those among `size` that leave the remainder `phase`.
SOFTRL_INLINE Index phaseSize(Index size, Index phase, Index stride) {
  return size > phase ? (size - phase + stride - 1) / stride : 0;
}

SOFTRL_INLINE bool allFinite(const float* x, Index count) {
  Vec sum = splat(0.0f);
  Index i = 0;
  for (; i + VL <= count; i += VL) sum += load(x + i) - load(x + i);
  float rest = sumLanes(sum);
  for (; i < count; i++) rest += x[i] - x[i];
  return rest == 0.0f;
}

/// The input gradient product by product: no zeros stand at the borders, which times infinity would be NaN.
static void inputGradientWithoutZeros(const Convolution& c, const float* cotangent, const float* filter, float* out) {
  const Index row = c.width * c.channels;
  fillFloats(out, 0.0f, c.batch * c.height * row);
  for (Index b = 0; b < c.batch; b++)
    for (Index y = 0; y < c.outHeight; y++)
      for (Index x = 0; x < c.outWidth; x++, cotangent += c.filters)
        for (Index i = 0; i < c.filterHeight; i++) {
          float* to = out + (b * c.height + y * c.strideY + i) * row + x * c.strideX * c.channels;
          const float* weights = filter + i * c.filterWidth * c.channels * c.filters;
          for (Index k = 0; k < c.filterWidth * c.channels; k++, weights += c.filters)
            for (Index f = 0; f < c.filters; f++) to[k] += cotangent[f] * weights[f];
        }
}

// The taps of a filter that an input meets: [from, end), the first at the cotangent `at`.
struct Taps {
  Index from, end, at;

  /// Of `taps` in all, for the input at `position` of its stride phase, among `size` cotangents.
  SOFTRL_INLINE Taps(Index taps, Index position, Index size) {
    const Index first = position - taps + 1;
    from = first < 0 ? -first : 0;
    end = size - first < taps ? size - first : taps;
    if (end < from) end = from;
    at = first + from;
  }
};

/// The input gradient of `samples` samples, at most tileRows: a tile is one position in all of them, so that taps beyond
/// the border are left out exactly. `weights` are regrouped by phase.
static void inputGradientOfSamples(const Convolution& c, const float* cotangent, const float* weights, float* out,
                                   Index samples) {
  float start[panelColumns];
  panelStart(start, nullptr, 0, 0);
  for (Index phaseY = 0; phaseY < c.strideY; phaseY++)
    for (Index phaseX = 0; phaseX < c.strideX; phaseX++) {
      const Index rows = phaseSize(c.filterHeight, phaseY, c.strideY);
      const Index across = phaseSize(c.filterWidth, phaseX, c.strideX);
      const Index height = phaseSize(c.height, phaseY, c.strideY), width = phaseSize(c.width, phaseX, c.strideX);
      const Index depth = rows * across * c.filters;
      for (Index column = 0; column < c.channels; column += panelColumns) {
        const Index columns = c.channels - column < panelColumns ? c.channels - column : panelColumns;
        const Index wStep = panelWidth(columns);
        for (Index v = 0; v < height; v++)
          for (Index h = 0; h < width; h++) {
            const Taps down(rows, v, c.outHeight), along(across, h, c.outWidth);
            const float* x[tileRows];
            float* to[tileRows];
            const Index y = c.strideY * v + phaseY, left = c.strideX * h + phaseX;
            for (Index r = 0; r < samples; r++) {
              x[r] = cotangent + ((r * c.outHeight + down.at) * c.outWidth + along.at) * c.filters;
              to[r] = out + ((r * c.height + y) * c.width + left) * c.channels + column;
            }
            const Index taps = along.end - along.from;
            const Product task = {taps > 0 ? static_cast<int>(down.end - down.from) : 0,
                                  taps * c.filters,
                                  c.outWidth * c.filters,
                                  0,
                                  weights + column * depth + (down.from * across + along.from) * c.filters * wStep,
                                  wStep,
                                  start,
                                  columns,
                                  (across - taps) * c.filters * wStep};
            productRows<false>(task, samples, x, to);
          }
      }
      weights += depth * roundUp(c.channels);
    }
}

static void runConv2dInputGradient(const int32* code, float* arena, Team* team) {
  const Convolution c(code);
  code += 10;
  const float* cotangent = arena + code[0];
  const float* filter = arena + code[1];
  float* out = arena + code[2];
  float* scratch = arena + code[3];
  const int32* epilogue = code[4] ? code + 5 : nullptr;
  const bool bySamples = c.batch * 5 >= tileRows * 4;
  if (!bySamples && !allFinite(filter, c.filterHeight * c.filterWidth * c.channels * c.filters)) {
    inputGradientWithoutZeros(c, cotangent, filter, out);
    runEpilogue(epilogue, arena, 0, c.batch * c.height * c.width * c.channels);
    return;
  }

  // An input at y = strideY·u + phase meets the filter rows i = strideY·i' + phase at the output row u − i':
  // for each phase a convolution, without stride, of the padded cotangent with the reversed filter rows.
  const Index most = phaseSize(c.filterHeight, 0, c.strideY), mostAcross = phaseSize(c.filterWidth, 0, c.strideX);
  const Index paddedHeight = phaseSize(c.height, 0, c.strideY) + most - 1;
  const Index paddedWidth = phaseSize(c.width, 0, c.strideX) + mostAcross - 1;
  const Index sampleSize = paddedHeight * paddedWidth * c.filters;
  float* regrouped = scratch + c.group * sampleSize;

  float* to = regrouped;
  for (Index phaseY = 0; phaseY < c.strideY; phaseY++)
    for (Index phaseX = 0; phaseX < c.strideX; phaseX++) {
      const Index rows = phaseSize(c.filterHeight, phaseY, c.strideY), across = phaseSize(c.filterWidth, phaseX, c.strideX);
      for (Index column = 0; column < c.channels; column += panelColumns) {
        const Index left = c.channels - column;
        const Index columns = left < panelColumns ? left : panelColumns;
        const Index width = panelWidth(columns);
        for (Index i = rows; i-- > 0;)
          for (Index j = across; j-- > 0; to += c.filters * width) {
            const Index tap = (phaseY + c.strideY * i) * c.filterWidth + phaseX + c.strideX * j;
            transpose(to, width, filter + (tap * c.channels + column) * c.filters, c.filters, c.filters, columns, width);
          }
      }
    }

  Team* helpers = teamFor(team, 2.0 * c.batch * c.outHeight * c.outWidth * c.filterHeight * c.filterWidth * c.channels * c.filters);
  if (bySamples) {
    const Index tile = balanced(c.batch, tileRows);
    const Index size = c.height * c.width * c.channels;
    eachPart(helpers, partCount(c.batch, tile), [&](Index part, int) {
      const Index first = part * tile;
      const Index samples = c.batch - first < tile ? c.batch - first : tile;
      inputGradientOfSamples(c, cotangent + first * c.outHeight * c.outWidth * c.filters, regrouped, out + first * size,
                             samples);
      runEpilogue(epilogue, arena, first * size, (first + samples) * size);
    });
    return;
  }
  if (helpers && !helpers->reserve(helpers, static_cast<int>(c.group * sampleSize))) helpers = nullptr;
  for (int thread = 0; thread < (helpers ? helpers->threads : 1); thread++)
    fillFloats(helpers ? helpers->scratch[thread] : scratch, 0.0f, c.group * sampleSize);
  eachPart(helpers, partCount(c.batch, c.group), [&](Index part, int thread) {
    const Index first = part * c.group;
    const Index samples = c.batch - first < c.group ? c.batch - first : c.group;
    float* padded = helpers ? helpers->scratch[thread] : scratch;
    for (Index b = 0; b < samples; b++)
      for (Index y = 0; y < c.outHeight; y++)
        copyFloats(padded + b * sampleSize + ((y + most - 1) * paddedWidth + mostAcross - 1) * c.filters,
                   cotangent + ((first + b) * c.outHeight + y) * c.outWidth * c.filters, c.outWidth * c.filters);
    const float* weightsAt = regrouped;
    for (Index phaseY = 0; phaseY < c.strideY; phaseY++)
      for (Index phaseX = 0; phaseX < c.strideX; phaseX++) {
        const Index rows = phaseSize(c.filterHeight, phaseY, c.strideY);
        const Index across = phaseSize(c.filterWidth, phaseX, c.strideX);
        const Index height = phaseSize(c.height, phaseY, c.strideY), width = phaseSize(c.width, phaseX, c.strideX);
        const Index depth = rows * across * c.filters;
        const Weights weights = {weightsAt, true, depth, c.channels};
        weightsAt += depth * roundUp(c.channels);
        const Positions positions = {
            padded + ((most - rows) * paddedWidth + mostAcross - across) * c.filters,
            out + ((first * c.height + phaseY) * c.width + phaseX) * c.channels,
            width,
            height,
            c.outHeight,
            rows - 1,
            c.filters,
            paddedWidth * c.filters,
            sampleSize,
            c.strideX * c.channels,
            c.strideY * c.width * c.channels,
            c.height * c.width * c.channels,
            0,
            0,
            0};
        gatheredProduct(positions, samples * height * width, rows, across * c.filters,
                        paddedWidth * c.filters, weights, nullptr, [](Index) {});
      }
    const Index size = c.height * c.width * c.channels;
    runEpilogue(epilogue, arena, first * size, (first + samples) * size);
  });
}

// Positions that one pass of the filter gradient takes: their cotangents stay in the first cache.
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
      for (int v = 0; v < N; v++) sum[r][v] += value * given[v];
    }
  }
  if (columns == N * VL) {
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 16
      for (int v = 0; v < N; v++) store(out + r * outStep + v * VL, load(out + r * outStep + v * VL) + sum[r][v]);
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
    case 5: return gradientTileOfWidth<5>(s, x, cotangent, out, outStep, columns);
#if SOFTRL_VL == 16
    case 6: return gradientTileOfWidth<6>(s, x, cotangent, out, outStep, columns);
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

/// out = Σ over the positions [begin, end) of each position's patch times its cotangents.
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
                         0};
  Positions positions = all.from(begin);

  fillFloats(out, 0.0f, c.filterHeight * length * c.filters);
  for (Index first = begin; first < end; first += sweepPositions) {
    Index offsets[sweepPositions];
    const Index count = end - first < sweepPositions ? end - first : sweepPositions;
    for (Index i = 0; i < count; i++) {
      const float* at;
      float* none;
      positions.next(at, none);
      offsets[i] = at - input;
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
    for (Index column = 0; column < c.filters; column += panelColumns) {
      const Index columns = c.filters - column < panelColumns ? c.filters - column : panelColumns;
      for (Index i = 0; i < c.filterHeight; i++)
        for (Index r = 0; r < length; r += tile) {
          const Index rows = length - r < tile ? length - r : tile;
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
  // Scratch holds the padded cotangents of a sweep, then the sums of the parts but the first.
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
