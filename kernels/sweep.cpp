// One sweep of soft value iteration over a sparse MDP: a WebAssembly module of its own, because it uses
// float64 and the other kernels float32.
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
/// The larger; a where either is NaN.
SWEEP_INLINE Pair larger(Pair a, Pair b) {
  return reinterpret_cast<Pair>(wasm_f64x2_pmax(reinterpret_cast<v128_t>(a), reinterpret_cast<v128_t>(b)));
}

/// The smaller; a where either is NaN.
SWEEP_INLINE Pair smaller(Pair a, Pair b) {
  return reinterpret_cast<Pair>(wasm_f64x2_pmin(reinterpret_cast<v128_t>(a), reinterpret_cast<v128_t>(b)));
}

/// exp x for x ≤ 0, accurate to about one unit in the last place. Below −708 it is exp −708, which vanishes
/// when added to one.
SWEEP_INLINE Pair exponential(Pair x) {
  Pair t = larger(x, splat(-708.0));
  // n = round(t / ln 2): adding 1.5·2^52 leaves it in the low bits of the mantissa.
  Pair magic = splat(6755399441055744.0);
  Pair shifted = t * splat(1.4426950408889634) + magic;
  PairBits n = bits(shifted) - bits(magic);
  Pair rounded = shifted - magic;
  Pair r = t - rounded * splat(6.93147180369123816490e-01);
  r = r - rounded * splat(1.90821492927058770002e-10);
  // (exp r − 1 − r) / r² for |r| ≤ ½ ln 2, interpolated at Chebyshev points; in parts, so that
  // multiplications overlap.
  Pair r2 = r * r;
  Pair r4 = r2 * r2;
  Pair low = (splat(5.00000000000000111e-01) + r * splat(1.66666666666666685e-01)) +
             r2 * (splat(4.16666666666241289e-02) + r * splat(8.33333333333006153e-03));
  Pair high = (splat(1.38888889172137167e-03) + r * splat(1.98412698630536177e-04)) +
              r2 * (splat(2.48015212959543761e-05) + r * splat(2.75572684599970641e-06)) +
              r4 * (splat(2.76200884454097462e-07) + r * splat(2.51003854955103203e-08));
  Pair p = splat(1.0) + (r + r2 * (low + r4 * high));
  return p * numbers((n + 1023) << 52);
}

/// log y for y ≥ 1, accurate to about one unit in the last place.
SWEEP_INLINE Pair logarithm(Pair y) {
  PairBits word = bits(y);
  PairBits e = (word >> 52) - 1023;
  Pair m = numbers((word & 0x000fffffffffffffLL) | 0x3ff0000000000000LL);
  PairBits large = m > splat(1.4142135623730951);
  m = choose(large, m * splat(0.5), m);
  e = e - large;  // a set mask is −1
  // Converts small integers to doubles: adding 1.5·2^52 leaves them in the low bits of the mantissa.
  Pair magic = splat(6755399441055744.0);
  Pair k = numbers(e + bits(magic)) - magic;
  Pair f = m - splat(1.0);
  // log m = 2 artanh s = s (2 + s²(…)), with the usual polynomial for the rest.
  Pair s = f / (splat(2.0) + f);
  Pair z = s * s;
  Pair z2 = z * z;
  Pair odd = splat(6.666666666666735130e-01) + z2 * (splat(2.857142874366239149e-01) +
             z2 * (splat(1.818357216161805012e-01) + z2 * splat(1.479819860511658591e-01)));
  Pair even = splat(3.999999999940941908e-01) +
              z2 * (splat(2.222219843214978396e-01) + z2 * splat(1.531383769920937332e-01));
  Pair logM = (s + s) + s * (z * (odd + z * even));
  return choose(y == y, k * splat(6.93147180369123816490e-01) + (logM + k * splat(1.90821492927058770002e-10)), y);
}

constexpr Index group = 64;
constexpr Index rangeStates = 4096;

/// Rewards and the buffers of Q are in groups of 64 states, [⌈S/64⌉, A, 64], so that pairs of states are
/// contiguous.
/// Rewards include τ log π̄, with −∞ where π̄ forbids an action: V = τ log Σ exp((r + τ log π̄ + γ P V) / τ).
/// Fields in the order in which mdp/compiled-sweep.ts writes them; those after blockGroups and ranges are
/// addresses.
struct Sweep {
  int32 states;
  int32 actions;
  int32 inPlace;      // one state after another, each using the newest values
  int32 blockGroups;  // groups per block if transitions are sorted by ranges of successors; 0 if they are sorted by rows
  int32 ranges;       // ranges of 4096 successors
  int32 fanout;       // the number of successors if it is the same for all rows and they are sorted by rows; else 0
  int32 starts;       // [S A + 1] int32 of rows, or [blocks · ranges + 1]
  int32 rows;         // [transitions] uint16, only if sorted by ranges: the index in Q of the block
  int32 successors;   // [transitions] 8 s' as int32, or the index within the range as uint16
  int32 probabilities;
  int32 rewards;
  int32 terminal;   // [S] uint8
  int32 q;          // [groups of a block, or 1, A, 64]
  int32 unused;
  double tau;
  double gamma;
};

template <typename T>
SWEEP_INLINE T* at(int32 address) {
  return reinterpret_cast<T*>(static_cast<__UINTPTR_TYPE__>(static_cast<__UINT32_TYPE__>(address)));
}

/// Σ P V of one row after another; successors are stored as byte offsets from the start of V.
struct Rows {
  const int32* offsets;
  const double* probabilities;
  const char* v;

  SWEEP_INLINE double term(Index k) const {
    return probabilities[k] * *reinterpret_cast<const double*>(v + static_cast<__UINT32_TYPE__>(offsets[k]));
  }
};

template <int Fanout>
SWEEP_INLINE void meansOfFanout(Rows rows, Index A, Index first, Index count, double* q) {
  rows.offsets += first * A * Fanout;
  rows.probabilities += first * A * Fanout;
  for (Index i = 0; i < count; i++)
    for (Index a = 0; a < A; a++) {
      double sum = 0;
#pragma clang loop unroll(full)
      for (Index k = 0; k < Fanout; k++) sum += rows.term(k);
      q[a * group + i] = sum;
      rows.offsets += Fanout;
      rows.probabilities += Fanout;
    }
}

/// Σ P V of `count` states from `first`, written to [A, 64] from lane `lane` on.
SWEEP_INLINE void meansByRows(const Sweep& it, Index first, Index count, Index lane, const double* v, double* q) {
  const Index A = it.actions;
  const Rows rows = {at<int32>(it.successors), at<double>(it.probabilities), reinterpret_cast<const char*>(v)};
  q += lane;
  switch (it.fanout) {
    case 1:
      return meansOfFanout<1>(rows, A, first, count, q);
    case 2:
      return meansOfFanout<2>(rows, A, first, count, q);
    case 3:
      return meansOfFanout<3>(rows, A, first, count, q);
    case 4:
      return meansOfFanout<4>(rows, A, first, count, q);
    case 5:
      return meansOfFanout<5>(rows, A, first, count, q);
  }
  const int32* starts = at<int32>(it.starts) + first * A;
  for (Index i = 0; i < count; i++)
    for (Index a = 0; a < A; a++, starts++) {
      double sum = 0;
      const int32 end = starts[1];
      for (int32 k = starts[0]; k < end; k++) sum += rows.term(k);
      q[a * group + i] = sum;
    }
}

/// Σ P V of a whole block whose transitions are sorted by range of successors, so that the memory that is
/// read and written at random fits into the cache.
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

/// V of `count` lanes of a group from Σ P V [A, 64], starting at an even lane or for one lane. `Actions` of 0
/// means any number.
template <int Actions>
SWEEP_INLINE void softValues(const Sweep& it, Index g, Index lane, Index count, double* q, double* value) {
  const Index A = Actions > 0 ? Actions : it.actions;
  const double* rewards = at<double>(it.rewards) + g * A * group;
  const Pair inverse = splat(1.0 / it.tau);
  const Pair gamma = splat(it.gamma);
  for (Index i = lane & ~Index(1); i < lane + count; i += 2) {
    // Store all values except the largest, whose exponential is one.
    Pair kept[Actions > 1 ? Actions - 1 : 1];
    Pair high = load(rewards + i) + gamma * load(q + i);
    for (Index a = 1; a < A; a++) {
      Pair x = load(rewards + a * group + i) + gamma * load(q + a * group + i);
      Pair lost = smaller(x, high);
      if (Actions > 0) kept[a - 1] = lost;
      else store(q + a * group + i, lost);
      high = larger(high, x);
    }
    Pair result = high;
    if (it.tau > 0) {
      Pair sum = splat(1.0);
      for (Index a = 1; a < A; a++) {
        Pair x = Actions > 0 ? kept[a - 1] : load(q + a * group + i);
        sum += exponential((x - high) * inverse);
      }
      result = high + splat(it.tau) * logarithm(sum);
    }
    store(value + i, result);
  }
}

SWEEP_INLINE Index least(Index a, Index b) { return a < b ? a : b; }

template <int Actions>
double sweepOf(const Sweep& it, const double* v, double* next) {
  const Index states = it.states;
  const Index groupSize = it.actions * group;
  const unsigned char* terminal = at<unsigned char>(it.terminal);
  double* q = at<double>(it.q);
  // Lanes after the last state compute with these values.
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
        softValues<Actions>(it, g, lane, count, qOfGroup, value);
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

}  // namespace

/// Performs one sweep of T from v into next; both are [S]. Returns ‖next − v‖∞.
extern "C" double sweep(int32 address, int32 vAddress, int32 nextAddress) {
  const Sweep& it = *at<Sweep>(address);
  const double* v = at<double>(vAddress);
  double* next = at<double>(nextAddress);
  switch (it.actions) {
    case 2:
      return sweepOf<2>(it, v, next);
    case 4:
      return sweepOf<4>(it, v, next);
    default:
      return sweepOf<0>(it, v, next);
  }
}
