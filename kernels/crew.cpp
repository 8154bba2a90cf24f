// Threads of WebAssembly: workers that have this module and its memory, each with a stack of its own.
//
// The host starts the workers and knows the time; nothing here does. Compiled into the module with shared memory alone.
#include "job.h"

#define HOST(name) __attribute__((import_module("host"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

extern "C" {
/// Starts the workers.
HOST(start) void hostStart();
/// Sleeps until *word is no longer `seen`; throws when a worker has died or does not answer.
HOST(wait) void hostWait(int* word, int seen);
}

namespace {

// Looks before a thread sleeps, each a nanosecond or less: as long as the short kernels between two long ones.
constexpr int workerLooks = 100000;
constexpr int mainLooks = 200000;

struct Crew : SoftrlTeam {
  Job job;
  // Moved on with every job: what workers look at, then sleep on.
  alignas(64) int jobs = 0;
  alignas(64) int sleepers = 0;
  int waiting = 0;
  int ended = 0;
  int failed = 0;
  bool started = false;
  float* memory[mostThreads] = {};
  int memoryFloats = 0;

  void run(int count, JobPart part, void* context) {
    if (!started) {
      started = true;
      hostStart();
    }
    job.open(count, part, context);
    __atomic_fetch_add(&jobs, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&sleepers, __ATOMIC_SEQ_CST) > 0) __builtin_wasm_memory_atomic_notify(&jobs, mostThreads);
    job.help(0);
    for (int looks = 0; job.finished() < count; looks++) {
      if (looks < mainLooks) continue;
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
      int looks = 0;
      while (looks < workerLooks && __atomic_load_n(&jobs, __ATOMIC_SEQ_CST) == seen) looks++;
      if (looks < workerLooks) continue;
      __atomic_fetch_add(&sleepers, 1, __ATOMIC_SEQ_CST);
      __builtin_wasm_memory_atomic_wait32(&jobs, seen, -1);
      __atomic_fetch_sub(&sleepers, 1, __ATOMIC_SEQ_CST);
    }
  }
};

// Part of the memory's first contents: a constructor would run in every instance, over a crew that is at work.
[[clang::require_constant_initialization]] Crew crew;

void shareParts(SoftrlTeam*, int parts, JobPart part, void* context) { crew.run(parts, part, context); }

bool reserveFloats(SoftrlTeam*, int floats) { return floats <= crew.memoryFloats; }

}  // namespace

extern "C" {

/// The crew of so many threads; `memory` has room for so many floats for each.
EXPORT(assemble) SoftrlTeam* assemble(int threads, float* memory, int floats, double leastShared) {
  crew.threads = threads;
  crew.share = shareParts;
  crew.reserve = reserveFloats;
  crew.scratch = crew.memory;
  crew.leastShared = leastShared;
  for (int i = 0; i < threads; i++) crew.memory[i] = memory + i * floats;
  crew.memoryFloats = floats;
  return &crew;
}

/// What worker `thread` does until the end.
EXPORT(work) void work(int thread) { crew.work(thread); }

/// Lets the workers go.
EXPORT(end) void end() {
  __atomic_store_n(&crew.ended, 1, __ATOMIC_SEQ_CST);
  __atomic_fetch_add(&crew.jobs, 1, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(&crew.jobs, mostThreads);
}

/// Worker `thread` has died.
EXPORT(fail) void fail(int thread) {
  __atomic_store_n(&crew.failed, thread, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(crew.job.finishedWord(), 1);
}

/// A worker that has died, or 0.
EXPORT(failure) int failure() { return __atomic_load_n(&crew.failed, __ATOMIC_SEQ_CST); }

}
