#include "shared-access.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

typedef float Four __attribute__((vector_size(16)));

/// A float, or four.
template <class Value>
Value load(const float* from) {
  Value value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Writes to[i] ← value(type, i) for i below `count`; the type is that of the values wanted, from element i on.
template <class Values>
void write(float* to, size_t count, Values value) {
  size_t at = 0;
  const auto writeUpTo = [&](size_t end) {
    for (; at < end; at++) {
      float one = value(float{}, at);
      __atomic_store(to + at, &one, __ATOMIC_RELAXED);
    }
  };
#if defined(__x86_64__)
  constexpr size_t line = 64 / sizeof(float);
  const size_t first = (line - reinterpret_cast<uintptr_t>(to) / sizeof(float) % line) % line;
  if (count >= first + line) {
    writeUpTo(first);
    for (; at + line <= count; at += line) {
      for (size_t i = at; i < at + line; i += 4) _mm_stream_ps(to + i, value(Four{}, i));
    }
    // Stores that follow may otherwise come before these.
    _mm_sfence();
  }
#endif
  writeUpTo(count);
}

}  // namespace

void readShared(const float* from, float* to, size_t count) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const Four four = load<Four>(from + i);
    std::memcpy(to + i, &four, sizeof four);
  }
  for (; i < count; i++) __atomic_load(from + i, to + i, __ATOMIC_RELAXED);
}

void writeShared(const float* from, float* to, size_t count) {
  write(to, count, [from](auto type, size_t i) { return load<decltype(type)>(from + i); });
}

void addStepToShared(const float* before, const float* after, float* to, size_t count) {
  write(to, count, [=](auto type, size_t i) {
    using Value = decltype(type);
    const Value theta = load<Value>(to + i), old = load<Value>(before + i), next = load<Value>(after + i);
    return theta == old ? next : theta + (next - old);
  });
}
