// Runs a program: a flat list of instructions (opcode, length in words including these two, fields) over one
// arena of floats.
//
// Compiled once per target. The encoder in TypeScript has checked every range. Only the indices of gather and
// scatter are checked here, because they are data.
#include "convolution-input-gradient.h"
#include "convolution-filter-gradient.h"
#include "copy.h"
#include "matmul.h"
#include "normalise.h"
#include "reduce.h"
#include "rows.h"

#ifndef SOFTRL_ENTRY
#define SOFTRL_ENTRY run
#endif

namespace {

enum Opcode : int32 {
  codeMap,
  codeReduce,
  codeCopy,
  codeFill,
  codeMatmul,
  codeConv2d,
  codeConv2dInputGradient,
  codeConv2dFilterGradient,
  codeGather,
  codeScatter,
  codeLogSumExp,
  codeLogSoftmax,
  codeNormalise,
  codeNormaliseGradient,
};

static void execute(const int32* code, int32 length, float* arena, Team* team) {
  for (const int32* end = code + length; code < end; code += code[1]) {
    const int32* fields = code + 2;
    switch (code[0]) {
      case codeMap: runMapShared(fields, arena, 0, fields[0], team); break;
      case codeReduce: runReduce(fields, arena, team); break;
      case codeCopy: runCopy(fields, arena); break;
      case codeFill: runFill(fields, arena); break;
      case codeMatmul: runMatmul(fields, arena, team); break;
      case codeConv2d: runConv2d(fields, arena, team); break;
      case codeConv2dInputGradient: runConv2dInputGradient(fields, arena, team); break;
      case codeConv2dFilterGradient: runConv2dFilterGradient(fields, arena, team); break;
      case codeGather: runGather(fields, arena); break;
      case codeScatter: runScatter(fields, arena); break;
      case codeLogSumExp: runLogSpace<false>(fields, arena); break;
      case codeLogSoftmax: runLogSpace<true>(fields, arena); break;
      case codeNormalise: runNormalise(fields, arena, team); break;
      case codeNormaliseGradient: runNormaliseGradient(fields, arena, team); break;
      default: return;
    }
  }
}

}  // namespace

// The parameter is also used when there is only one thread: if the compiler knows that the team is null, it
// compiles the products differently, and WebAssembly engines run them one eighth slower.
extern "C" void SOFTRL_ENTRY(const int32* code, int32 length, float* arena, Team* team) {
  execute(code, length, arena, team);
}
