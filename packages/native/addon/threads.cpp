#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "job.h"
#include "on-heap.h"

namespace {

// How long a thread polls for the next job before it sleeps: longer than the short kernels between two long
// ones.
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

struct ThreadTeam : SoftrlTeam, OnHeap {
  int members = 0;  // calls of joinTeam without leaveTeam
  std::atomic<bool> taken{false};

  Job job;
  std::atomic<int> sleepers{0};
  std::atomic<bool> ended{false};
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
  pthread_t handles[maxThreads];
  int started = 0;

  float* memory[maxThreads] = {};
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
    // The other threads finish the parts that they have started. If the system has suspended one, it may use
    // this processor.
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
  static_cast<ThreadTeam*>(team)->run(parts, part, context);
}

bool reserveFloats(SoftrlTeam* team, int floats) { return static_cast<ThreadTeam*>(team)->reserveFloats(floats); }

struct Start : OnHeap {
  ThreadTeam* team;
  int thread;
};

void* enter(void* data) {
  const Start start = *static_cast<Start*>(data);
  delete static_cast<Start*>(data);
  start.team->work(start.thread);
  return nullptr;
}

/// Starts the threads. If the system refuses some, results are the same, only slower.
void startThreads(ThreadTeam* threadTeam) {
  // Only the main thread of Node handles signals.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (int thread = 1; thread < threadTeam->threads; thread++) {
    Start* start = new Start{{}, threadTeam, thread};
    if (start == nullptr) break;
    if (pthread_create(&threadTeam->handles[threadTeam->started], nullptr, enter, start) != 0) {
      delete start;
      break;
    }
    threadTeam->started++;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

pthread_mutex_t teamsMutex = PTHREAD_MUTEX_INITIALIZER;
ThreadTeam* teams[maxThreads + 1] = {};

}  // namespace

SoftrlTeam* joinTeam(int threads) {
  if (threads < 2) return nullptr;
  if (threads > maxThreads) threads = maxThreads;
  pthread_mutex_lock(&teamsMutex);
  ThreadTeam* threadTeam = teams[threads];
  if (threadTeam == nullptr) {
    threadTeam = new ThreadTeam;
    if (threadTeam != nullptr) {
      threadTeam->threads = threads;
      threadTeam->share = shareParts;
      threadTeam->reserve = reserveFloats;
      threadTeam->scratch = threadTeam->memory;
      startThreads(threadTeam);
      teams[threads] = threadTeam;
    }
  }
  if (threadTeam != nullptr) threadTeam->members++;
  pthread_mutex_unlock(&teamsMutex);
  return threadTeam;
}

void leaveTeam(SoftrlTeam* team) {
  if (team == nullptr) return;
  ThreadTeam* threadTeam = static_cast<ThreadTeam*>(team);
  pthread_mutex_lock(&teamsMutex);
  const bool last = --threadTeam->members == 0;
  if (last) teams[threadTeam->threads] = nullptr;
  pthread_mutex_unlock(&teamsMutex);
  if (!last) return;
  threadTeam->end();
  delete threadTeam;
}

bool takeTeam(SoftrlTeam* team) {
  return !static_cast<ThreadTeam*>(team)->taken.exchange(true, std::memory_order_acquire);
}

void giveTeamBack(SoftrlTeam* team) {
  static_cast<ThreadTeam*>(team)->taken.store(false, std::memory_order_release);
}
