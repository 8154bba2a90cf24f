// The kernels, compiled once per instruction set.
#pragma once
#include <cstdint>

#include "team.h"

using KernelEntry = void (*)(const int32_t* code, int32_t length, float* arena, SoftrlTeam* team);

struct InstructionSet {
  const char* name;
  bool (*supported)();
  KernelEntry entry;
};

/// Best first.
extern const InstructionSet instructionSets[];
extern const int instructionSetCount;
