#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

constexpr int mostThreads = 64;
// How long a thread looks for the next job before it sleeps: longer than the short kernels between two long ones.
constexpr int64_t spinNanoseconds = 50000;

int64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1000000000 + t.tv_nsec;
}

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

using Part = void (*)(void* context, int i, int thread);

struct Crew : SoftrlTeam {
  int members = 0;  // who joined
  std::atomic<bool> taken{false};

  // The job: its number in the upper half, the next part in the lower. A part is claimed by moving this on, which
  // fails when the job has changed; so what was read of an older job is never used.
  std::atomic<uint64_t> ticket{closed};
  std::atomic<int> parts{0};
  std::atomic<Part> part{nullptr};
  std::atomic<void*> context{nullptr};
  std::atomic<int> done{0};

  std::atomic<int> sleepers{0};
  std::atomic<bool> ended{false};
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
  pthread_t handles[mostThreads];
  int started = 0;

  float* memory[mostThreads] = {};
  int memoryFloats = 0;

  static constexpr uint64_t closed = 0xffffffff;

  /// Computes parts of the present job until none is left.
  void help(int thread) {
    for (;;) {
      uint64_t seen = ticket.load(std::memory_order_seq_cst);
      const uint64_t next = seen & closed;
      if (next == closed) return;
      const int count = parts.load(std::memory_order_relaxed);
      const Part run = part.load(std::memory_order_relaxed);
      void* with = context.load(std::memory_order_relaxed);
      if (next >= static_cast<uint64_t>(count)) return;
      if (!ticket.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel)) continue;
      run(with, static_cast<int>(next), thread);
      done.fetch_add(1, std::memory_order_release);
    }
  }

  bool idle() {
    const uint64_t seen = ticket.load(std::memory_order_seq_cst) & closed;
    return seen == closed || seen >= static_cast<uint64_t>(parts.load(std::memory_order_relaxed));
  }

  void work(int thread) {
    int64_t until = now() + spinNanoseconds;
    while (!ended.load(std::memory_order_acquire)) {
      if (!idle()) {
        help(thread);
        until = now() + spinNanoseconds;
        continue;
      }
      for (int i = 0; i < 32 && idle(); i++) pause();
      if (now() < until) continue;
      pthread_mutex_lock(&mutex);
      sleepers.fetch_add(1, std::memory_order_seq_cst);
      while (idle() && !ended.load(std::memory_order_acquire)) pthread_cond_wait(&wake, &mutex);
      sleepers.fetch_sub(1, std::memory_order_seq_cst);
      pthread_mutex_unlock(&mutex);
    }
  }

  void run(int count, Part run, void* with) {
    const uint64_t job = (ticket.load(std::memory_order_relaxed) >> 32) + 1;
    parts.store(count, std::memory_order_relaxed);
    part.store(run, std::memory_order_relaxed);
    context.store(with, std::memory_order_relaxed);
    done.store(0, std::memory_order_relaxed);
    ticket.store(job << 32, std::memory_order_seq_cst);
    if (sleepers.load(std::memory_order_seq_cst) > 0) {
      pthread_mutex_lock(&mutex);
      pthread_cond_broadcast(&wake);
      pthread_mutex_unlock(&mutex);
    }
    help(0);
    // The others finish what they have begun; where they lost their processor, they may have ours.
    for (int i = 0; done.load(std::memory_order_acquire) < count; i++) {
      if (i < 2000) pause();
      else sched_yield();
    }
    ticket.store(job << 32 | closed, std::memory_order_seq_cst);
  }

  bool reserveFloats(int floats) {
    if (floats <= memoryFloats) return true;
    memoryFloats = 0;
    for (int i = 0; i < threads; i++) {
      std::free(memory[i]);
      memory[i] = nullptr;
    }
    for (int i = 0; i < threads; i++) {
      void* got = nullptr;
      if (posix_memalign(&got, 128, static_cast<size_t>(floats) * sizeof(float)) != 0) return false;
      memory[i] = static_cast<float*>(got);
    }
    memoryFloats = floats;
    return true;
  }

  void end() {
    pthread_mutex_lock(&mutex);
    ended.store(true, std::memory_order_release);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < started; i++) pthread_join(handles[i], nullptr);
    for (int i = 0; i < threads; i++) std::free(memory[i]);
  }
};

void shareParts(SoftrlTeam* team, int parts, Part part, void* context) {
  static_cast<Crew*>(team)->run(parts, part, context);
}

bool reserveFloats(SoftrlTeam* team, int floats) { return static_cast<Crew*>(team)->reserveFloats(floats); }

struct Start {
  Crew* crew;
  int thread;
};

void* enter(void* data) {
  const Start start = *static_cast<Start*>(data);
  delete static_cast<Start*>(data);
  start.crew->work(start.thread);
  return nullptr;
}

/// Starts the threads; those that the system refuses are missed by nobody but the clock.
void startThreads(Crew* crew) {
  // Signals are for Node's own thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (int thread = 1; thread < crew->threads; thread++) {
    Start* start = new (std::nothrow) Start{crew, thread};
    if (start == nullptr) break;
    if (pthread_create(&crew->handles[crew->started], nullptr, enter, start) != 0) {
      delete start;
      break;
    }
    crew->started++;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

pthread_mutex_t crewsMutex = PTHREAD_MUTEX_INITIALIZER;
Crew* crews[mostThreads + 1] = {};

}  // namespace

SoftrlTeam* joinTeam(int threads) {
  if (threads < 2) return nullptr;
  if (threads > mostThreads) threads = mostThreads;
  pthread_mutex_lock(&crewsMutex);
  Crew* crew = crews[threads];
  if (crew == nullptr) {
    crew = new (std::nothrow) Crew;
    if (crew != nullptr) {
      crew->threads = threads;
      crew->share = shareParts;
      crew->reserve = reserveFloats;
      crew->scratch = crew->memory;
      startThreads(crew);
      crews[threads] = crew;
    }
  }
  if (crew != nullptr) crew->members++;
  pthread_mutex_unlock(&crewsMutex);
  return crew;
}

void leaveTeam(SoftrlTeam* team) {
  if (team == nullptr) return;
  Crew* crew = static_cast<Crew*>(team);
  pthread_mutex_lock(&crewsMutex);
  const bool last = --crew->members == 0;
  if (last) crews[crew->threads] = nullptr;
  pthread_mutex_unlock(&crewsMutex);
  if (!last) return;
  crew->end();
  delete crew;
}

bool takeTeam(SoftrlTeam* team) { return !static_cast<Crew*>(team)->taken.exchange(true, std::memory_order_acquire); }

void giveTeamBack(SoftrlTeam* team) { static_cast<Crew*>(team)->taken.store(false, std::memory_order_release); }
