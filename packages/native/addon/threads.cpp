#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "job.h"

namespace {

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

struct Crew : SoftrlTeam {
  int members = 0;  // who joined
  std::atomic<bool> taken{false};

  Job job;
  std::atomic<int> sleepers{0};
  std::atomic<bool> ended{false};
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
  pthread_t handles[mostThreads];
  int started = 0;

  float* memory[mostThreads] = {};
  int memoryFloats = 0;

  void work(int thread) {
    int64_t until = now() + spinNanoseconds;
    while (!ended.load(std::memory_order_acquire)) {
      if (!job.idle()) {
        job.help(thread);
        until = now() + spinNanoseconds;
        continue;
      }
      for (int i = 0; i < 32 && job.idle(); i++) pause();
      if (now() < until) continue;
      pthread_mutex_lock(&mutex);
      sleepers.fetch_add(1, std::memory_order_seq_cst);
      while (job.idle() && !ended.load(std::memory_order_acquire)) pthread_cond_wait(&wake, &mutex);
      sleepers.fetch_sub(1, std::memory_order_seq_cst);
      pthread_mutex_unlock(&mutex);
    }
  }

  void run(int count, JobPart part, void* context) {
    job.open(count, part, context);
    if (sleepers.load(std::memory_order_seq_cst) > 0) {
      pthread_mutex_lock(&mutex);
      pthread_cond_broadcast(&wake);
      pthread_mutex_unlock(&mutex);
    }
    job.help(0);
    // The others finish what they have begun; where they lost their processor, they may have ours.
    for (int i = 0; job.finished() < count; i++) {
      if (i < 2000) pause();
      else sched_yield();
    }
    job.close();
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

void shareParts(SoftrlTeam* team, int parts, JobPart part, void* context) {
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
