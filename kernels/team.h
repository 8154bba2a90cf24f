// Threads, as the kernels see them: a kernel cuts its work into parts that write ranges of their own, and whoever is
// free takes the next.
//
// What a part computes does not depend on who computes it. Where parts are summed afterwards, the cut depends on sizes
// alone and the sum goes in the order of the parts. So no result depends on the number of threads or on timing.
#pragma once

/// Most threads of a team, its caller among them. Core refuses more, by the number in thread-count.ts.
constexpr int mostThreads = 64;

/// Given by the host; null where there is one thread.
struct SoftrlTeam {
  int threads = 0;
  /// Calls part(context, i, thread) for every i in [0, parts), thread in [0, threads); returns when all are done.
  void (*share)(SoftrlTeam* team, int parts, void (*part)(void* context, int i, int thread),
                void* context) = nullptr;
  /// Gives every thread memory of its own of at least so many floats, in `scratch`; false if there is not enough.
  bool (*reserve)(SoftrlTeam* team, int floats) = nullptr;
  float* const* scratch = nullptr;
  /// Operations below which waiting for another thread costs more than it saves: some 20 µs natively.
  double leastShared = 4e6;
};
