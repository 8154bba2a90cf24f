// One sweep of soft value iteration over a sparse MDP, in float64: a WebAssembly module of its own (exact/ is float64,
// the other kernels are float32).
#include <wasm_simd128.h>

namespace {

typedef __INT32_TYPE__ int32;
typedef __PTRDIFF_TYPE__ Index;
typedef double Pair __attribute__((vector_size(16)));
typedef __INT64_TYPE__ int64;
typedef int64 PairBits __attribute__((vector_size(16)));

#define SWEEP_INLINE inline __attribute__((always_inline))

SWEEP_INLINE Pair splat(double x) { return Pair{x, x}; }
SWEEP_INLINE PairBits bits(Pair x) { return reinterpret_cast<PairBits>(x); }
SWEEP_INLINE Pair numbers(PairBits x) { return reinterpret_cast<Pair>(x); }
SWEEP_INLINE Pair choose(PairBits mask, Pair a, Pair b) { return numbers((mask & bits(a)) | (~mask & bits(b))); }
SWEEP_INLINE Pair load(const double* p) { return reinterpret_cast<Pair>(wasm_v128_load(p)); }
SWEEP_INLINE void store(double* p, Pair x) { wasm_v128_store(p, reinterpret_cast<v128_t>(x)); }

/// exp x for x ≤ 0, to about one unit in the last place; 0 below −708, where beside a one nothing is left of it.
SWEEP_INLINE Pair exponential(Pair x) {
  PairBits some = x > splat(-708.0);
  Pair t = choose(some, x, splat(0.0));
  // n = round(t / ln 2): adding 1.5·2^52 leaves it in the low bits of the mantissa.
  Pair magic = splat(6755399441055744.0);
  Pair shifted = t * splat(1.4426950408889634) + magic;
  PairBits n = bits(shifted) - bits(magic);
  Pair rounded = shifted - magic;
  Pair r = t - rounded * splat(6.93147180369123816490e-01);
  r = r - rounded * splat(1.90821492927058770002e-10);
  // Taylor's series to the 13th power on |r| ≤ ½ ln 2, by fours so that multiplications overlap.
  Pair r2 = r * r;
  Pair r4 = r2 * r2;
  Pair low = (splat(1.0 / 2) + r * splat(1.0 / 6)) + r2 * (splat(1.0 / 24) + r * splat(1.0 / 120));
  Pair middle = (splat(1.0 / 720) + r * splat(1.0 / 5040)) + r2 * (splat(1.0 / 40320) + r * splat(1.0 / 362880));
  Pair high = (splat(1.0 / 3628800) + r * splat(1.0 / 39916800)) +
              r2 * (splat(1.0 / 479001600) + r * splat(1.0 / 6227020800.0));
  Pair p = splat(1.0) + (r + r2 * (low + r4 * (middle + r4 * high)));
  Pair result = numbers(bits(p) + (n << 52));
  // NaN stays.
  return choose(some, result, choose(x == x, splat(0.0), x));
}

/// log y for y ≥ 1, to about one unit in the last place.
SWEEP_INLINE Pair logarithm(Pair y) {
  PairBits word = bits(y);
  PairBits e = (word >> 52) - 1023;
  Pair m = numbers((word & 0x000fffffffffffffLL) | 0x3ff0000000000000LL);
  PairBits large = m > splat(1.4142135623730951);
  m = choose(large, m * splat(0.5), m);
  e = e - large;  // a set mask is −1
  // Small integers as doubles: in the low bits beside 1.5·2^52.
  Pair magic = splat(6755399441055744.0);
  Pair k = numbers(e + bits(magic)) - magic;
  Pair f = m - splat(1.0);
  // log m = 2 artanh s.
  Pair s = f / (splat(2.0) + f);
  Pair z = s * s;
  Pair p = splat(1.0 / 23);
  p = p * z + splat(1.0 / 21);
  p = p * z + splat(1.0 / 19);
  p = p * z + splat(1.0 / 17);
  p = p * z + splat(1.0 / 15);
  p = p * z + splat(1.0 / 13);
  p = p * z + splat(1.0 / 11);
  p = p * z + splat(1.0 / 9);
  p = p * z + splat(1.0 / 7);
  p = p * z + splat(1.0 / 5);
  p = p * z + splat(1.0 / 3);
  Pair tail = s * z * p;
  Pair logM = (s + tail) + (s + tail);
  return choose(y == y, k * splat(6.93147180369123816490e-01) + (logM + k * splat(1.90821492927058770002e-10)), y);
}

constexpr Index group = 64;
constexpr Index rangeStates = 4096;
constexpr double infinity = __builtin_inf();

/// Rewards, prior and the buffers of Q are by groups of 64 states, [⌈S/64⌉, A, 64], so that pairs of states lie together.
/// Fields in the order in which exact/compiled-sweep.ts writes them; those after blockGroups and ranges are addresses.
struct Sweep {
  int32 states;
  int32 actions;
  int32 inPlace;      // one state after the other, each from the newest values
  int32 priorStride;  // 64 A, or 0 where every group has the same
  int32 blockGroups;  // groups of a block, where transitions come by ranges of successors; 0 where they come by rows
  int32 ranges;       // ranges of 4096 successors
  int32 starts;       // [S A + 1] int32 of rows, or [blocks · ranges + 1]
  int32 rows;         // [transitions] uint16 by ranges alone: where in the block's Q
  int32 successors;   // [transitions] int32, or uint16 within their range
  int32 probabilities;
  int32 rewards;
  int32 prior;
  int32 terminal;   // [S] uint8
  int32 q;          // [groups of a block, or 1, A, 64]
  int32 exponents;  // [A, 64]
  int32 unused;
  double tau;
  double gamma;
};

template <typename T>
SWEEP_INLINE T* at(int32 address) {
  return reinterpret_cast<T*>(static_cast<__UINTPTR_TYPE__>(static_cast<__UINT32_TYPE__>(address)));
}

/// Σ P V of `count` states from `first`, as [A, 64] from lane `lane`.
SWEEP_INLINE void meansByRows(const Sweep& it, Index first, Index count, Index lane, const double* v, double* q) {
  const Index A = it.actions;
  const int32* successors = at<int32>(it.successors);
  const double* probabilities = at<double>(it.probabilities);
  q += lane;
  const int32* rowStarts = at<int32>(it.starts) + first * A;
  for (Index i = 0; i < count; i++)
    for (Index a = 0; a < A; a++, rowStarts++) {
      double sum = 0;
      const int32 end = rowStarts[1];
      for (int32 k = rowStarts[0]; k < end; k++) sum += probabilities[k] * v[successors[k]];
      q[a * group + i] = sum;
    }
}

/// Σ P V of a whole block, whose transitions come by ascending range of successors: what is read and what is written at
/// random is small enough to stay in the cache.
SWEEP_INLINE void meansByRange(const Sweep& it, Index block, const double* v, double* q) {
  const int32* starts = at<int32>(it.starts) + block * it.ranges;
  const unsigned short* rows = at<unsigned short>(it.rows);
  const unsigned short* offsets = at<unsigned short>(it.successors);
  const double* probabilities = at<double>(it.probabilities);
  __builtin_memset(q, 0, static_cast<unsigned long>(it.blockGroups * it.actions * group) * sizeof(double));
  for (Index range = 0; range < it.ranges; range++, v += rangeStates) {
    const Index end = starts[range + 1];
    for (Index k = starts[range]; k < end; k++) q[rows[k]] += probabilities[k] * v[offsets[k]];
  }
}

/// V of `count` lanes of a group from Σ P V [A, 64]; `lane` is even or `count` one.
SWEEP_INLINE void softValues(const Sweep& it, Index g, Index lane, Index count, double* q, double* value) {
  const Index A = it.actions;
  const double* rewards = at<double>(it.rewards) + g * A * group;
  const double* prior = at<double>(it.prior) + g * it.priorStride;
  double* exponents = at<double>(it.exponents);
  const Pair none = splat(-infinity);
  const Pair inverse = splat(1.0 / it.tau);
  const Pair gamma = splat(it.gamma);
  for (Index i = lane & ~Index(1); i < lane + count; i += 2) {
    Pair high = none;
    for (Index a = 0; a < A; a++) {
      Pair x = load(rewards + a * group + i) + gamma * load(q + a * group + i);
      store(q + a * group + i, x);
      PairBits better = (x > high) & (load(prior + a * group + i) > none);
      high = choose(better, x, high);
    }
    Pair result = high;
    if (it.tau > 0) {
      Pair shift = none;
      for (Index a = 0; a < A; a++) {
        Pair weight = load(prior + a * group + i);
        Pair x = choose(weight > none, weight + (load(q + a * group + i) - high) * inverse, weight);
        store(exponents + a * group + i, x);
        shift = choose(x > shift, x, shift);
      }
      Pair sum = splat(0.0);
      for (Index a = 0; a < A; a++) sum += exponential(load(exponents + a * group + i) - shift);
      result = high + splat(it.tau) * (shift + logarithm(sum));
    }
    store(value + i, result);
  }
}

SWEEP_INLINE Index least(Index a, Index b) { return a < b ? a : b; }

}  // namespace

/// One sweep of T from v into next; both are [S]. Gives ‖next − v‖∞.
extern "C" double sweep(int32 address, int32 vAddress, int32 nextAddress) {
  const Sweep& it = *at<Sweep>(address);
  const Index states = it.states;
  const Index groupSize = it.actions * group;
  const double* v = at<double>(vAddress);
  double* next = at<double>(nextAddress);
  const unsigned char* terminal = at<unsigned char>(it.terminal);
  double* q = at<double>(it.q);
  // A lane past the last state computes on what stands here.
  for (Index i = 0; i < groupSize; i++) q[i] = 0;
  double value[group];
  double change = 0;
  const Index step = it.inPlace ? 1 : group;
  const Index blockGroups = it.blockGroups > 0 ? it.blockGroups : 1;
  const Index groups = (states + group - 1) / group;
  for (Index block = 0; block * blockGroups < groups; block++) {
    if (it.blockGroups > 0) meansByRange(it, block, v, q);
    for (Index g = block * blockGroups; g < least(groups, (block + 1) * blockGroups); g++) {
      double* qOfGroup = q + (g - block * blockGroups) * groupSize;
      const Index first = g * group;
      const Index inGroup = least(group, states - first);
      for (Index lane = 0; lane < inGroup; lane += step) {
        const Index count = least(step, inGroup - lane);
        if (it.blockGroups == 0) meansByRows(it, first + lane, count, lane, v, qOfGroup);
        softValues(it, g, lane, count, qOfGroup, value);
        for (Index i = lane; i < lane + count; i++) {
          const double x = terminal[first + i] ? 0 : value[i];
          const double apart = __builtin_fabs(x - v[first + i]);
          if (!(apart <= change)) change = apart;
          next[first + i] = x;
        }
      }
    }
  }
  return change;
}
