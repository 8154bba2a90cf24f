// Atari's frame preprocessing for the Python child, called through ctypes: pools two screens by maximum, resizes them
// from 160 columns to 84 × 84 like OpenCV's INTER_AREA (the same float32 operations in the same order), and appends the
// result to a stack of four. Without this library the child uses NumPy and OpenCV.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int side = 84;
constexpr int width = 160;
// 84 : 160 is 21 : 40, so a row consists of four sections with the same weights: the four lanes of a vector.
constexpr int lanes = 4;
constexpr int outputs = side / lanes;
constexpr int inputs = width / lanes;
constexpr int mostTaps = 4;

struct Tap {
  int from, to;
  float weight;
};

/// The most taps of `from` source cells in `to` target cells: each target has two cells in part, and shares no other.
constexpr int mostTapsOf(int from, int to) { return from + 2 * to; }

/// The weight of each source cell in each target cell, in the order in which OpenCV adds them up. Returns how many.
int tapsInto(int from, int to, Tap* list) {
  int count = 0;
  const double scale = static_cast<double>(from) / to;
  for (int i = 0; i < to; i++) {
    const double begin = i * scale, end = begin + scale;
    const double cell = std::min(scale, from - begin);
    int first = static_cast<int>(std::ceil(begin)), last = static_cast<int>(std::floor(end));
    last = std::min(last, from - 1);
    first = std::min(first, last);
    if (first - begin > 1e-3) list[count++] = {first - 1, i, static_cast<float>((first - begin) / cell)};
    for (int at = first; at < last; at++) list[count++] = {at, i, static_cast<float>(1.0 / cell)};
    if (end - last > 1e-3)
      list[count++] = {last, i, static_cast<float>(std::min(std::min(end - last, 1.0), cell) / cell)};
  }
  return count;
}

struct Plan {
  int height;
  int counts[outputs];
  int columns[outputs][mostTaps];
  float weights[outputs][mostTaps][lanes];
  int rowTaps;
  Tap rows[1];  // of `rowTaps` taps
};

/// Pools one row of both screens and shrinks it horizontally: narrow[output][lane].
void narrowRow(const Plan& plan, const uint8_t* a, const uint8_t* b, float (*narrow)[lanes]) {
  uint8_t pooled[width];
  for (int i = 0; i < width; i++) pooled[i] = std::max(a[i], b[i]);
  alignas(16) float wide[inputs][lanes];
  for (int i = 0; i < inputs; i++)
    for (int lane = 0; lane < lanes; lane++) wide[i][lane] = pooled[lane * inputs + i];
  for (int i = 0; i < outputs; i++) {
    alignas(16) float sum[lanes] = {};
    for (int tap = 0; tap < plan.counts[i]; tap++)
      for (int lane = 0; lane < lanes; lane++)
        sum[lane] += wide[plan.columns[i][tap]][lane] * plan.weights[i][tap][lane];
    std::memcpy(narrow[i], sum, sizeof sum);
  }
}

/// Rounds half to even and writes the newest of the four bytes of each pixel, or all four.
void emitRow(const float (*sum)[lanes], uint32_t* pixels, bool fill) {
  uint32_t row[side];
  for (int i = 0; i < outputs; i++)
    for (int lane = 0; lane < lanes; lane++) {
      // At 1.5 · 2²³ the last bit of a float has the value one.
      const float shifted = sum[i][lane] + 12582912.0f;
      uint32_t bits;
      std::memcpy(&bits, &shifted, sizeof bits);
      row[lane * outputs + i] = bits & 0xff;
    }
  if (fill)
    for (int i = 0; i < side; i++) pixels[i] = row[i] * 0x01010101u;
  else
    for (int i = 0; i < side; i++) pixels[i] = pixels[i] >> 8 | row[i] << 24;
}

}  // namespace

extern "C" {

/// Precomputes the weights for screens of `height` × 160; null if out of memory or the lanes' weights differ.
__attribute__((visibility("default"))) void* softrl_frames_plan(int height) {
  if (height < 1) return nullptr;
  // malloc, since operator new would link libstdc++'s exceptions, and with them symbols that old C libraries lack.
  Plan* plan = static_cast<Plan*>(std::calloc(1, sizeof(Plan) + mostTapsOf(height, side) * sizeof(Tap)));
  if (plan == nullptr) return nullptr;
  plan->height = height;
  plan->rowTaps = tapsInto(height, side, plan->rows);
  Tap columns[mostTapsOf(width, side)];
  const int columnTaps = tapsInto(width, side, columns);
  for (int at = 0; at < columnTaps; at++) {
    const Tap& tap = columns[at];
    const int lane = tap.to / outputs, output = tap.to % outputs;
    if (lane == 0) {
      if (plan->counts[output] == mostTaps) return (std::free(plan), nullptr);
      plan->columns[output][plan->counts[output]++] = tap.from;
      plan->weights[output][plan->counts[output] - 1][0] = tap.weight;
      continue;
    }
    const int* begin = plan->columns[output];
    const int* end = begin + plan->counts[output];
    const int* found = std::find(begin, end, tap.from - lane * inputs);
    if (found == end) return (std::free(plan), nullptr);
    plan->weights[output][found - begin][lane] = tap.weight;
  }
  return plan;
}

/// Pools and resizes two screens; appends the result to `stack` [84, 84, 4], or with `fill` writes it four times.
__attribute__((visibility("default"))) void softrl_frames_push(const void* planned, const uint8_t* a, const uint8_t* b,
                                                              uint8_t* stack, int fill) {
  const Plan& plan = *static_cast<const Plan*>(planned);
  alignas(16) float narrow[outputs][lanes];
  alignas(16) float sum[outputs][lanes];
  int narrowed = -1, row = -1;
  uint32_t* pixels = reinterpret_cast<uint32_t*>(stack);
  for (int at = 0; at < plan.rowTaps; at++) {
    const Tap& tap = plan.rows[at];
    if (tap.from != narrowed) {
      narrowRow(plan, a + tap.from * width, b + tap.from * width, narrow);
      narrowed = tap.from;
    }
    if (tap.to != row) {
      if (row >= 0) emitRow(sum, pixels + row * side, fill != 0);
      row = tap.to;
      for (int i = 0; i < outputs; i++)
        for (int lane = 0; lane < lanes; lane++) sum[i][lane] = tap.weight * narrow[i][lane];
    } else {
      for (int i = 0; i < outputs; i++)
        for (int lane = 0; lane < lanes; lane++) sum[i][lane] += tap.weight * narrow[i][lane];
    }
  }
  emitRow(sum, pixels + row * side, fill != 0);
}
}
