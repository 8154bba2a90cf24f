// Objects on the C heap.
#pragma once
#include <cstddef>
#include <cstdlib>

/// A base class whose objects `new` and `delete` take from malloc; `new` gives null when there is not enough memory.
/// The operators of libstdc++ would link its exceptions, and with them symbols that old C libraries lack.
struct OnHeap {
  static void* operator new(std::size_t bytes) noexcept { return std::malloc(bytes); }
  static void operator delete(void* memory) noexcept { std::free(memory); }
};
