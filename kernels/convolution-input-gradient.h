// The adjoint of a convolution with respect to its input.
//
// code: the sizes as in convolution.h; then cotangent, filter, out, scratch, epilogue (0 or 1), map.
#pragma once
#include "convolution.h"

namespace {

/// The number of positions of one stride phase: those below `size` with the remainder `phase`.
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

/// The input gradient product by product, without zeros at the borders: zero times infinity would be NaN.
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
            for (Index f = 0; f < c.filters; f++) to[k] = multiplyAdd(to[k], cotangent[f], weights[f]);
        }
}

// The taps of a filter that reach an input: [from, end). The first of them uses the cotangent `at`.
struct Taps {
  Index from, end, at;

  /// For a filter with `taps` taps and the input at `position` of its stride phase, among `size` cotangents.
  SOFTRL_INLINE Taps(Index taps, Index position, Index size) {
    const Index first = position - taps + 1;
    from = first < 0 ? -first : 0;
    end = size - first < taps ? size - first : taps;
    if (end < from) end = from;
    at = first + from;
  }
};

/// The input gradient of `samples` samples, at most tileRows. A tile is one position in all of them, so that
/// taps beyond the border are omitted exactly. `weights` are regrouped by phase.
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

  // The input at y = strideY·u + phase uses the filter rows i = strideY·i' + phase with the output rows u −
  // i'. So each phase is a convolution, without stride, of the padded cotangent with the reversed filter
  // rows.
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
            0,
            nullptr,
            nullptr};
        gatheredProduct(positions.from(0), samples * height * width, rows, across * c.filters,
                        paddedWidth * c.filters, weights, nullptr, [](Index) {});
      }
    const Index size = c.height * c.width * c.channels;
    runEpilogue(epilogue, arena, first * size, (first + samples) * size);
  });
}

}  // namespace
