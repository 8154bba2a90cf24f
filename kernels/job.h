// Work that threads share: whoever is free claims the next part. How threads start and sleep is the host's affair.
#pragma once
#include "team.h"

namespace {

typedef void (*JobPart)(void* context, int i, int thread);

class Job {
 public:
  /// Opens the next job; everyone may help from now on.
  void open(int count, JobPart run, void* with) {
    const uint64 number = (__atomic_load_n(&ticket, __ATOMIC_RELAXED) >> 32) + 1;
    __atomic_store_n(&parts, count, __ATOMIC_RELAXED);
    __atomic_store_n(&part, run, __ATOMIC_RELAXED);
    __atomic_store_n(&context, with, __ATOMIC_RELAXED);
    __atomic_store_n(&done, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&ticket, number << 32, __ATOMIC_SEQ_CST);
  }

  /// Computes parts of the present job until none is left to claim.
  void help(int thread) {
    for (;;) {
      uint64 seen = __atomic_load_n(&ticket, __ATOMIC_SEQ_CST);
      const uint64 next = seen & closed;
      if (next == closed) return;
      const int count = __atomic_load_n(&parts, __ATOMIC_RELAXED);
      const JobPart run = __atomic_load_n(&part, __ATOMIC_RELAXED);
      void* with = __atomic_load_n(&context, __ATOMIC_RELAXED);
      if (next >= static_cast<uint64>(count)) return;
      if (!__atomic_compare_exchange_n(&ticket, &seen, seen + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
      run(with, static_cast<int>(next), thread);
      __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
    }
  }

  /// Whether no part is left to claim.
  bool idle() const {
    const uint64 next = __atomic_load_n(&ticket, __ATOMIC_SEQ_CST) & closed;
    return next == closed || next >= static_cast<uint64>(__atomic_load_n(&parts, __ATOMIC_RELAXED));
  }

  int finished() const { return __atomic_load_n(&done, __ATOMIC_SEQ_CST); }
  int* finishedWord() { return &done; }

  /// After the last part: what the job refers to may go.
  void close() { __atomic_store_n(&ticket, __atomic_load_n(&ticket, __ATOMIC_RELAXED) | closed, __ATOMIC_SEQ_CST); }

 private:
  typedef unsigned long long uint64;
  static constexpr uint64 closed = 0xffffffff;

  // The job's number in the upper half, the next part in the lower. A part is claimed by moving this on, which fails
  // when the job has changed; so what was read of an older job is never used.
  alignas(8) uint64 ticket = closed;
  int parts = 0;
  JobPart part = nullptr;
  void* context = nullptr;
  int done = 0;
};

}  // namespace
