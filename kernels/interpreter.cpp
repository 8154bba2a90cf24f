// Runs a program: a flat list of instructions (opcode, length in words with these two, fields) over one arena of floats.
//
// Compiled once a target. The encoder in TypeScript has checked every range; nothing is checked again here except
// the indices of gather and scatter, which are data.
#include "convolution-input-gradient.h"
#include "convolution-filter-gradient.h"
#include "copy.h"
#include "matmul.h"
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
      default: return;
    }
  }
}

}  // namespace

// Also where there is one thread for good: a team that is known to be null makes other code of the products, which
// WebAssembly engines run an eighth slower.
extern "C" void SOFTRL_ENTRY(const int32* code, int32 length, float* arena, Team* team) {
  execute(code, length, arena, team);
}
