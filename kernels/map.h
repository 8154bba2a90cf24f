// Elementwise kernels: a register machine over blocks that stay in the first cache.
//
// code: count, inputs, constants, steps, outputs; then per input (offset, each); per constant its bits;
// per step (operation, target, output or −1, a, b, c); per output (register, offset, written by a step).
// A step whose value is an output's last may write straight into it: the encoder has shown that nothing reads
// the old contents afterwards. Where an input goes out unchanged while another output covers it, the encoder keeps a copy.
#pragma once
#include "functions.h"
#include "parts.h"

namespace {

constexpr int mapRegisters = 24;
constexpr Index mapBlock = 256;

enum Operation : int32 {
  opAdd, opSubtract, opMultiply, opDivide, opMaximum, opMinimum,
  opNegate, opAbsolute, opExp, opLog, opTanh, opRelu, opSquareRoot,
  opGreater, opGreaterEqual, opEqual, opSelect, opKeep,
  // Two steps in one, which saves a pass through memory; each rounds as the two do.
  opMultiplyMultiply, opMultiplyAdd, opMultiplySubtract, opSubtractMultiply, opSquareRootAdd,
};

// An operand: a scalar is one vector that is read again and again (advance 0).
struct Operand {
  const float* at;
  Index advance;
};

template <class F>
SOFTRL_INLINE void mapUnary(float* out, Index n, Operand a, F f) {
  for (Index i = 0; i < n; i += VL, a.at += a.advance) store(out + i, f(load(a.at)));
}

template <class F>
SOFTRL_INLINE void mapBinary(float* out, Index n, Operand a, Operand b, F f) {
  for (Index i = 0; i < n; i += VL, a.at += a.advance, b.at += b.advance)
    store(out + i, f(load(a.at), load(b.at)));
}

template <class F>
SOFTRL_INLINE void mapTernary(float* out, Index n, Operand a, Operand b, Operand c, F f) {
  for (Index i = 0; i < n; i += VL, a.at += a.advance, b.at += b.advance, c.at += c.advance)
    store(out + i, f(load(a.at), load(b.at), load(c.at)));
}

/// A product that is rounded before it goes on: hidden from the compiler, which would fuse it with a sum.
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

/// n is a multiple of the vector length.
static void mapStep(int32 operation, float* out, Index n, Operand a, Operand b, Operand c) {
  switch (operation) {
    case opAdd: return mapBinary(out, n, a, b, [](Vec x, Vec y) { return x + y; });
    case opSubtract: return mapBinary(out, n, a, b, [](Vec x, Vec y) { return x - y; });
    case opMultiply: return mapBinary(out, n, a, b, [](Vec x, Vec y) { return x * y; });
    case opDivide: return mapBinary(out, n, a, b, [](Vec x, Vec y) { return x / y; });
    case opMaximum: return mapBinary(out, n, a, b, [](Vec x, Vec y) { return maximum(x, y); });
    case opMinimum: return mapBinary(out, n, a, b, [](Vec x, Vec y) { return minimum(x, y); });
    case opNegate: return mapUnary(out, n, a, [](Vec x) { return -x; });
    case opAbsolute: return mapUnary(out, n, a, [](Vec x) { return floats(bits(x) & splatInt(0x7fffffff)); });
    case opExp: return mapUnary(out, n, a, [](Vec x) { return exponential(x); });
    case opLog: return mapUnary(out, n, a, [](Vec x) { return logarithm(x); });
    case opTanh: return mapUnary(out, n, a, [](Vec x) { return hyperbolicTangent(x); });
    case opRelu: return mapUnary(out, n, a, [](Vec x) { return choose(x <= splat(0.0f), splat(0.0f), x); });
    case opSquareRoot: return mapUnary(out, n, a, [](Vec x) { return squareRoot(x); });
    case opGreater: return mapBinary(out, n, a, b, [](Vec x, Vec y) { return oneWhere(x > y); });
    case opGreaterEqual: return mapBinary(out, n, a, b, [](Vec x, Vec y) { return oneWhere(x >= y); });
    case opEqual: return mapBinary(out, n, a, b, [](Vec x, Vec y) { return oneWhere(x == y); });
    case opSelect: return mapTernary(out, n, a, b, c, [](Vec x, Vec y, Vec z) { return choose(x != splat(0.0f), y, z); });
    case opKeep: return mapUnary(out, n, a, [](Vec x) { return x; });
    case opMultiplyMultiply:
      return mapTernary(out, n, a, b, c, [](Vec x, Vec y, Vec z) { return product(x, y) * z; });
    case opMultiplyAdd:
      return mapTernary(out, n, a, b, c, [](Vec x, Vec y, Vec z) { return product(x, y) + z; });
    case opMultiplySubtract:
      return mapTernary(out, n, a, b, c, [](Vec x, Vec y, Vec z) { return product(x, y) - z; });
    case opSubtractMultiply:
      return mapTernary(out, n, a, b, c, [](Vec x, Vec y, Vec z) { return z - product(x, y); });
    case opSquareRootAdd: return mapBinary(out, n, a, b, [](Vec x, Vec y) { return squareRoot(x) + y; });
    default: return;
  }
}

/// Runs the map over the elements [start, end).
static void runMap(const int32* code, float* arena, Index start, Index end) {
  const int32 inputs = code[1], constants = code[2], steps = code[3], outputs = code[4];
  const int32* inputCode = code + 5;
  const int32* constantCode = inputCode + 2 * inputs;
  const int32* stepCode = constantCode + constants;
  const int32* outputCode = stepCode + 6 * steps;

  alignas(64) float scalars[mapRegisters * VL];
  alignas(64) float blocks[mapRegisters * mapBlock];
  Operand registers[mapRegisters];

  for (int32 i = 0; i < inputs; i++) {
    if (inputCode[2 * i + 1]) continue;
    store(scalars + i * VL, splat(arena[inputCode[2 * i]]));
    registers[i] = {scalars + i * VL, 0};
  }
  for (int32 i = 0; i < constants; i++) {
    const int32 r = inputs + i;
    store(scalars + r * VL, splat(asFloat(constantCode[i])));
    registers[r] = {scalars + r * VL, 0};
  }

  for (Index at = start; at < end; at += mapBlock) {
    const Index left = end - at;
    const Index n = left < mapBlock ? left : mapBlock;
    // A block that does not fill its last vector works on copies: nothing is read or written past its end.
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
      registers[i] = {x, VL};
    }
    const Index rounded = roundUp(n);
    const int32* step = stepCode;
    for (int32 s = 0; s < steps; s++, step += 6) {
      float* out = whole && step[2] >= 0 ? arena + outputCode[3 * step[2] + 1] + at : blocks + step[1] * mapBlock;
      mapStep(step[0], out, rounded, registers[step[3]], registers[step[4]], registers[step[5]]);
      registers[step[1]] = {out, VL};
    }
    for (int32 o = 0; o < outputs; o++) {
      if (whole && outputCode[3 * o + 2]) continue;
      const Operand value = registers[outputCode[3 * o]];
      float* out = arena + outputCode[3 * o + 1] + at;
      if (value.advance) copyFloats(out, value.at, n);
      else fillFloats(out, value.at[0], n);
    }
  }
}

/// The same, cut into parts.
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
