// The kernels, compiled once an instruction set.
#pragma once
#include <cstdint>

using KernelEntry = void (*)(const int32_t* code, int32_t length, float* arena);

struct InstructionSet {
  const char* name;
  bool (*supported)();
  KernelEntry entry;
};

/// Best first.
extern const InstructionSet instructionSets[];
extern const int instructionSetCount;
