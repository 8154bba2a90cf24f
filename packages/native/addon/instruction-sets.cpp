#include "instruction-sets.h"

extern "C" {
#if defined(__x86_64__)
void softrl_run_avx512(const int32_t* code, int32_t length, float* arena, SoftrlTeam* team);
void softrl_run_avx2(const int32_t* code, int32_t length, float* arena, SoftrlTeam* team);
#endif
void softrl_run_baseline(const int32_t* code, int32_t length, float* arena, SoftrlTeam* team);
}

namespace {

bool always() { return true; }

#if defined(__x86_64__)
bool hasAvx512() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("fma");
}
bool hasAvx2() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

}  // namespace

const InstructionSet instructionSets[] = {
#if defined(__x86_64__)
    {"avx512", hasAvx512, softrl_run_avx512},
    {"avx2", hasAvx2, softrl_run_avx2},
#endif
    {"baseline", always, softrl_run_baseline},
};
const int instructionSetCount = sizeof(instructionSets) / sizeof(instructionSets[0]);
