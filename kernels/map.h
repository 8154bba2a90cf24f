// Elementwise kernels: a register machine over blocks that stay in the L1 cache.
//
// code: count, inputs, constants, steps, outputs; then per input (offset, each); per constant its bits;
// per step (operation, target, output or −1, seven operands); per output (register, offset, written by a
// step).
// A step that computes the final value of an output may write directly into it: the encoder has checked that
// no later step reads the old contents. If an input is output unchanged while another output overwrites it,
// the encoder adds a copy.
#pragma once
#include "functions.h"
#include "parts.h"

namespace {

constexpr int mapRegisters = 24;
// A step over a block costs about twenty cycles before its first element.
constexpr Index mapBlock = VL == 16 ? 512 : 256;
constexpr int stepWords = 10;
// From this many elements on, inputs are prefetched. WebAssembly cannot.
#ifdef __wasm__
constexpr Index streamedNumbers = Index{1} << 30;
#else
constexpr Index streamedNumbers = Index{1} << 18;
#endif

enum Operation : int32 {
  opAdd, opSubtract, opMultiply, opDivide, opMaximum, opMinimum,
  opNegate, opAbsolute, opExp, opLog, opTanh, opRelu, opSquareRoot,
  opGreater, opGreaterEqual, opEqual, opSelect, opKeep,
  // Fused steps, which save passes through memory. They round like the separate steps.
  opMultiplyMultiply, opMultiplyAdd, opMultiplySubtract, opSubtractMultiply, opSubtractMultiplyMultiply,
  opProductsAdd, opLongProductsAdd, opSquareRootAdd, opAddSquareRoot, opRootQuotient, opSumRootQuotient,
  opSubtractRootQuotient, opSubtractSumRootQuotient, opGreaterSelect,
  opAddSubtract, opProductsAddSubtract, opLongProductsAddSubtract, opSubtractMultiplyMaximum,
};

template <class F, class... Operands>
SOFTRL_INLINE void mapEach(float* out, Index n, F f, Operands... operands) {
  for (Index i = 0; i < n; i += VL) store(out + i, f(load(operands + i)...));
}

/// A product that is rounded before it is used. The compiler cannot see through it, otherwise it would fuse
/// it with a sum.
SOFTRL_INLINE Vec product(Vec a, Vec b) {
  Vec result = a * b;
#if defined(__x86_64__) && SOFTRL_VL == 16
  asm("" : "+v"(result));
#elif defined(__x86_64__)
  asm("" : "+x"(result));
#elif defined(__aarch64__)
  asm("" : "+w"(result));
#endif
  return result;
}

SOFTRL_INLINE Vec oneWhere(IntVec mask) { return floats(mask & bits(splat(1.0f))); }

// A loop of its own for constants makes the code longer; WebAssembly modules should be small.
#ifdef __wasm__
constexpr bool readsConstantsOnce = false;
#else
constexpr bool readsConstantsOnce = true;
#endif

/// The step x ← d·x + e·g, or e·g·g, of a moving average, and the rounding of small numbers after it. The factors and the
/// numbers that are added and subtracted are constants.
template <bool Squared>
SOFTRL_INLINE void movingAverage(float* out, Index n, const float* g, float share, float decay, const float* x, float least) {
  const Vec e = splat(share), d = splat(decay), s = splat(least);
  for (Index i = 0; i < n; i += VL) {
    const Vec given = load(g + i);
    const Vec added = Squared ? product(product(given, given), e) : product(e, given);
    store(out + i, added + product(d, load(x + i)) + s - s);
  }
}

/// n is a multiple of the vector length; `at` contains the registers of the operands. In the registers of the mask
/// `repeated`, all elements are the same number.
static void mapStep(int32 operation, float* out, Index n, const float* const* registers, const int32* at, int32 repeated) {
  const float *a = registers[at[0]], *b = registers[at[1]], *c = registers[at[2]], *d = registers[at[3]];
  const float *e = registers[at[4]], *f = registers[at[5]], *g = registers[at[6]];
  const auto isRepeated = [=](int32 r) { return (repeated >> r & 1) != 0; };
  const auto unary = [=](auto each) { mapEach(out, n, each, a); };
  const auto binary = [=](auto each) { mapEach(out, n, each, a, b); };
  const auto ternary = [=](auto each) { mapEach(out, n, each, a, b, c); };
  const auto ofFour = [=](auto each) { mapEach(out, n, each, a, b, c, d); };
  const auto ofFive = [=](auto each) { mapEach(out, n, each, a, b, c, d, e); };
  const auto ofSix = [=](auto each) { mapEach(out, n, each, a, b, c, d, e, f); };
  const auto ofSeven = [=](auto each) { mapEach(out, n, each, a, b, c, d, e, f, g); };
  switch (operation) {
    case opAdd: return binary([](Vec x, Vec y) { return x + y; });
    case opSubtract: return binary([](Vec x, Vec y) { return x - y; });
    case opMultiply: return binary([](Vec x, Vec y) { return x * y; });
    case opDivide:
      if (readsConstantsOnce && isRepeated(at[1])) {
        const Divisor divisor(b[0]);
        return unary([&](Vec x) { return divisor.into(x); });
      }
      return binary([](Vec x, Vec y) { return x / y; });
    case opMaximum: return binary([](Vec x, Vec y) { return maximum(x, y); });
    case opMinimum: return binary([](Vec x, Vec y) { return minimum(x, y); });
    case opNegate: return unary([](Vec x) { return -x; });
    case opAbsolute: return unary([](Vec x) { return floats(bits(x) & splatInt(0x7fffffff)); });
    case opExp: return unary([](Vec x) { return exponential(x); });
    case opLog: return unary([](Vec x) { return logarithm(x); });
    case opTanh: return unary([](Vec x) { return hyperbolicTangent(x); });
    case opRelu: return unary([](Vec x) { return choose(x <= splat(0.0f), splat(0.0f), x); });
    case opSquareRoot: return unary([](Vec x) { return squareRoot(x); });
    case opGreater: return binary([](Vec x, Vec y) { return oneWhere(x > y); });
    case opGreaterEqual: return binary([](Vec x, Vec y) { return oneWhere(x >= y); });
    case opEqual: return binary([](Vec x, Vec y) { return oneWhere(x == y); });
    case opSelect: return ternary([](Vec x, Vec y, Vec z) { return choose(x != splat(0.0f), y, z); });
    case opKeep: return unary([](Vec x) { return x; });
    case opMultiplyMultiply: return ternary([](Vec x, Vec y, Vec z) { return product(x, y) * z; });
    case opMultiplyAdd: return ternary([](Vec x, Vec y, Vec z) { return product(x, y) + z; });
    case opMultiplySubtract: return ternary([](Vec x, Vec y, Vec z) { return product(x, y) - z; });
    case opSubtractMultiply: return ternary([](Vec x, Vec y, Vec z) { return z - product(x, y); });
    case opSubtractMultiplyMultiply:
      return ofFour([](Vec x, Vec y, Vec z, Vec u) { return (z - product(x, y)) * u; });
    case opProductsAdd: return ofFour([](Vec x, Vec y, Vec u, Vec v) { return product(x, y) + product(u, v); });
    case opLongProductsAdd:
      return ofFive([](Vec x, Vec y, Vec z, Vec u, Vec v) { return product(product(x, y), z) + product(u, v); });
    case opSquareRootAdd: return binary([](Vec x, Vec y) { return squareRoot(x) + y; });
    case opAddSquareRoot: return binary([](Vec x, Vec y) { return squareRoot(x + y); });
    case opRootQuotient: return ternary([](Vec x, Vec y, Vec z) { return z / (squareRoot(x) + y); });
    case opSumRootQuotient: return ternary([](Vec x, Vec y, Vec z) { return z / squareRoot(x + y); });
    case opSubtractRootQuotient:
      return ofFive([](Vec x, Vec y, Vec z, Vec u, Vec v) { return v - product(z / (squareRoot(x) + y), u); });
    case opSubtractSumRootQuotient:
      return ofFive([](Vec x, Vec y, Vec z, Vec u, Vec v) { return v - product(z / squareRoot(x + y), u); });
    case opGreaterSelect: return ofFour([](Vec x, Vec y, Vec u, Vec v) { return choose(x > y, u, v); });
    case opAddSubtract: return ternary([](Vec x, Vec y, Vec z) { return x + y - z; });
    case opProductsAddSubtract:
      if (readsConstantsOnce && e == f && isRepeated(at[0]) && isRepeated(at[2]) && isRepeated(at[4]))
        return movingAverage<false>(out, n, b, a[0], c[0], d, e[0]);
      return ofSix([](Vec x, Vec y, Vec u, Vec v, Vec s, Vec t) { return product(x, y) + product(u, v) + s - t; });
    case opLongProductsAddSubtract:
      if (readsConstantsOnce && a == b && f == g && isRepeated(at[2]) && isRepeated(at[3]) && isRepeated(at[5]))
        return movingAverage<true>(out, n, a, c[0], d[0], e, f[0]);
      return ofSeven([](Vec x, Vec y, Vec z, Vec u, Vec v, Vec s, Vec t) {
        return product(product(x, y), z) + product(u, v) + s - t;
      });
    case opSubtractMultiplyMaximum:
      return ofFour([](Vec x, Vec y, Vec z, Vec u) { return maximum(z - product(x, y), u); });
    default: return;
  }
}

/// Prefetches the next block of every `steps`-th input from `first` on: `left` numbers are left of each. Not inlined,
/// since it makes the loop of maps that need it not slower.
static __attribute__((noinline)) void fetchInputs(const int32* inputCode, int32 inputs, int32 first, int32 steps,
                                                  const float* next, Index left) {
  const Index count = left < mapBlock ? left : mapBlock;
  for (int32 i = first; i < inputs; i += steps) {
    if (!inputCode[2 * i + 1]) continue;
    for (Index k = 0; k < count; k += 16) __builtin_prefetch(next + inputCode[2 * i] + k, 0, 2);
  }
}

/// Runs the map on the elements [start, end).
static void runMap(const int32* code, float* arena, Index start, Index end) {
  const int32 inputs = code[1], constants = code[2], steps = code[3], outputs = code[4];
  const int32* inputCode = code + 5;
  const int32* constantCode = inputCode + 2 * inputs;
  const int32* stepCode = constantCode + constants;
  const int32* outputCode = stepCode + stepWords * steps;

  alignas(64) float blocks[mapRegisters * mapBlock];
  const float* registers[mapRegisters];
  // A scalar is repeated, so that all operands are read in the same way.
  const Index longest = end - start < mapBlock ? roundUp(end - start) : mapBlock;
  int32 repeated = 0;
  const auto repeat = [&](int32 r, float value) {
    repeated |= 1 << r;
    fillFloats(blocks + r * mapBlock, value, longest);
    registers[r] = blocks + r * mapBlock;
  };
  for (int32 i = 0; i < inputs; i++)
    if (!inputCode[2 * i + 1]) repeat(i, arena[inputCode[2 * i]]);
  for (int32 i = 0; i < constants; i++) repeat(inputs + i, asFloat(constantCode[i]));

  // A part of the next block with each step.
  const bool streamed = code[0] >= streamedNumbers;
  for (Index at = start; at < end; at += mapBlock) {
    const Index left = end - at;
    const Index n = left < mapBlock ? left : mapBlock;
    // A block that does not fill its last vector works on copies, so that nothing is read or written past its
    // end.
    const bool whole = n % VL == 0;
    for (int32 i = 0; i < inputs; i++) {
      if (!inputCode[2 * i + 1]) continue;
      const float* x = arena + inputCode[2 * i] + at;
      if (!whole) {
        const Index full = n / VL * VL;
        copyFloats(blocks + i * mapBlock, x, full);
        store(blocks + i * mapBlock + full, loadPartial(x + full, n - full));
        x = blocks + i * mapBlock;
      }
      registers[i] = x;
    }
    const Index rounded = roundUp(n);
    const int32* step = stepCode;
    for (int32 s = 0; s < steps; s++, step += stepWords) {
      if (streamed) fetchInputs(inputCode, inputs, s, steps, arena + at + n, left - n);
      float* out = whole && step[2] >= 0 ? arena + outputCode[3 * step[2] + 1] + at : blocks + step[1] * mapBlock;
      mapStep(step[0], out, rounded, registers, step + 3, repeated);
      registers[step[1]] = out;
    }
    for (int32 o = 0; o < outputs; o++) {
      if (whole && outputCode[3 * o + 2]) continue;
      copyFloats(arena + outputCode[3 * o + 1] + at, registers[outputCode[3 * o]], n);
    }
  }
}

/// The same, split into parts.
static void runMapShared(const int32* code, float* arena, Index start, Index end, Team* team) {
  const Index count = end - start;
  Team* helpers = teamFor(team, static_cast<double>(count) * (code[1] + 4 * code[3] + code[4]));
  const Index size = helpers ? partSize(count, 64, 16 * mapBlock) : count;
  eachPart(helpers, partCount(count, size), [=](Index part, int) {
    const Index from = start + part * size;
    runMap(code, arena, from, end - from < size ? end : from + size);
  });
}

}  // namespace
