// Work that threads share: a free thread claims the next part. The host decides how threads start and sleep.
#pragma once
#include "team.h"

namespace {

typedef void (*JobPart)(void* context, int i, int thread);

class Job {
 public:
  /// Opens the next job; from now on all threads may help.
  void open(int count, JobPart run, void* with) {
    const uint64 number = (__atomic_load_n(&ticket, __ATOMIC_RELAXED) >> 32) + 1;
    __atomic_store_n(&parts, count, __ATOMIC_RELAXED);
    __atomic_store_n(&part, run, __ATOMIC_RELAXED);
    __atomic_store_n(&context, with, __ATOMIC_RELAXED);
    __atomic_store_n(&done, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&ticket, number << 32, __ATOMIC_SEQ_CST);
  }

  /// Computes parts of the current job until all are claimed.
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

  /// Whether all parts are claimed.
  bool idle() const {
    const uint64 next = __atomic_load_n(&ticket, __ATOMIC_SEQ_CST) & closed;
    return next == closed || next >= static_cast<uint64>(__atomic_load_n(&parts, __ATOMIC_RELAXED));
  }

  int finished() const { return __atomic_load_n(&done, __ATOMIC_SEQ_CST); }
  int* finishedWord() { return &done; }

  /// Called after the last part: the data that the job refers to may then be freed.
  void close() { __atomic_store_n(&ticket, __atomic_load_n(&ticket, __ATOMIC_RELAXED) | closed, __ATOMIC_SEQ_CST); }

 private:
  typedef unsigned long long uint64;
  static constexpr uint64 closed = 0xffffffff;

  // The number of the job in the upper half, the next part in the lower half. A thread claims a part by
  // incrementing this value, which fails if the job has changed; so fields read from an older job are never
  // used.
  alignas(8) uint64 ticket = closed;
  int parts = 0;
  JobPart part = nullptr;
  void* context = nullptr;
  int done = 0;
};

}  // namespace
