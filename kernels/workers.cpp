// Threads of WebAssembly: workers that have this module and its memory, each with its own stack.
//
// The host starts the workers and measures time, because this code cannot. Only compiled into the module with
// shared memory.
#include "job.h"

#define HOST(name) __attribute__((import_module("host"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

extern "C" {
/// Starts the workers.
HOST(start) void hostStart();
/// Sleeps until *word differs from `seen`; throws when a worker has died or does not answer.
HOST(wait) void hostWait(int* word, int seen);
}

namespace {

// The number of polls before a thread sleeps. A poll takes a nanosecond or less, so this covers the short
// kernels between two long ones.
constexpr int workerPolls = 100000;
constexpr int mainPolls = 200000;

struct WorkerTeam : SoftrlTeam {
  Job job;
  // Incremented with every job; workers poll it, then sleep on it.
  alignas(64) int jobs = 0;
  alignas(64) int sleepers = 0;
  int waiting = 0;
  int ended = 0;
  int failed = 0;
  bool started = false;
  float* memory[maxThreads] = {};
  int memoryFloats = 0;

  void run(int count, JobPart part, void* context) {
    if (!started) {
      started = true;
      hostStart();
    }
    job.open(count, part, context);
    __atomic_fetch_add(&jobs, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&sleepers, __ATOMIC_SEQ_CST) > 0) __builtin_wasm_memory_atomic_notify(&jobs, maxThreads);
    job.help(0);
    for (int polls = 0; job.finished() < count; polls++) {
      if (polls < mainPolls) continue;
      __atomic_store_n(&waiting, 1, __ATOMIC_SEQ_CST);
      const int seen = job.finished();
      if (seen < count) hostWait(job.finishedWord(), seen);
      __atomic_store_n(&waiting, 0, __ATOMIC_SEQ_CST);
    }
    job.close();
  }

  void work(int thread) {
    while (!__atomic_load_n(&ended, __ATOMIC_SEQ_CST)) {
      const int seen = __atomic_load_n(&jobs, __ATOMIC_SEQ_CST);
      if (!job.idle()) {
        job.help(thread);
        if (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST)) __builtin_wasm_memory_atomic_notify(job.finishedWord(), 1);
        continue;
      }
      int polls = 0;
      while (polls < workerPolls && __atomic_load_n(&jobs, __ATOMIC_SEQ_CST) == seen) polls++;
      if (polls < workerPolls) continue;
      __atomic_fetch_add(&sleepers, 1, __ATOMIC_SEQ_CST);
      __builtin_wasm_memory_atomic_wait32(&jobs, seen, -1);
      __atomic_fetch_sub(&sleepers, 1, __ATOMIC_SEQ_CST);
    }
  }
};

// Part of the initial memory. A constructor would run in every instance, and overwrite a team that is
// working.
[[clang::require_constant_initialization]] WorkerTeam workers;

void shareParts(SoftrlTeam*, int parts, JobPart part, void* context) { workers.run(parts, part, context); }

bool reserveFloats(SoftrlTeam*, int floats) { return floats <= workers.memoryFloats; }

}  // namespace

extern "C" {

/// Initialises the team; `memory` has room for `floats` floats per thread.
EXPORT(assemble) SoftrlTeam* assemble(int threads, float* memory, int floats, double leastShared) {
  workers.threads = threads;
  workers.share = shareParts;
  workers.reserve = reserveFloats;
  workers.scratch = workers.memory;
  workers.leastShared = leastShared;
  for (int i = 0; i < threads; i++) workers.memory[i] = memory + i * floats;
  workers.memoryFloats = floats;
  return &workers;
}

/// The main loop of worker `thread`.
EXPORT(work) void work(int thread) { workers.work(thread); }

/// Ends the workers.
EXPORT(end) void end() {
  __atomic_store_n(&workers.ended, 1, __ATOMIC_SEQ_CST);
  __atomic_fetch_add(&workers.jobs, 1, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(&workers.jobs, maxThreads);
}

/// Reports that worker `thread` has died.
EXPORT(fail) void fail(int thread) {
  __atomic_store_n(&workers.failed, thread, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(workers.job.finishedWord(), 1);
}

/// The number of a worker that has died, or 0.
EXPORT(failure) int failure() { return __atomic_load_n(&workers.failed, __ATOMIC_SEQ_CST); }

}
