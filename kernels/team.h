// Threads from the point of view of the kernels: a kernel splits its work into parts that write separate
// ranges, and a free thread takes the next part.
//
// The result of a part does not depend on the thread that computes it. If parts are added up afterwards, the
// split only depends on sizes, and the parts are added in order. So results depend neither on the number of
// threads nor on timing.
#pragma once

/// The maximum number of threads of a team, the calling thread included. Core checks the same limit, in
/// thread-count.ts.
constexpr int maxThreads = 64;

/// Provided by the host; null if there is only one thread.
struct SoftrlTeam {
  int threads = 0;
  /// Calls part(context, i, thread) for every i in [0, parts), with thread in [0, threads). Returns when all
  /// are done.
  void (*share)(SoftrlTeam* team, int parts, void (*part)(void* context, int i, int thread),
                void* context) = nullptr;
  /// Gives every thread its own memory of at least `floats` floats, in `scratch`; false if there is not
  /// enough memory.
  bool (*reserve)(SoftrlTeam* team, int floats) = nullptr;
  float* const* scratch = nullptr;
  /// With fewer operations than this, waiting for another thread costs more than it saves: about 20 µs
  /// natively.
  double leastShared = 4e6;
};
