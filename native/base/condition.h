// condition.h: a condition variable. On POSIX systems std::condition_variable is left
// out for the reason that std::thread is: see thread.h.
#ifndef FDLOOP_BASE_CONDITION_H_
#define FDLOOP_BASE_CONDITION_H_

#include <mutex>

#ifdef _WIN32
#include <condition_variable>
#else
#include <pthread.h>
#endif

namespace fdloop {

class Condition {
 public:
  // Gives the mutex up while it waits. May return without a signal.
  void Wait(std::unique_lock<std::mutex>* lock) {
#ifdef _WIN32
    condition_.wait(*lock);
#else
    pthread_cond_wait(&condition_, lock->mutex()->native_handle());
#endif
  }

  // To all who wait.
  void Signal() {
#ifdef _WIN32
    condition_.notify_all();
#else
    pthread_cond_broadcast(&condition_);
#endif
  }

 private:
#ifdef _WIN32
  std::condition_variable condition_;
#else
  pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
#endif
};

}  // namespace fdloop

#endif  // FDLOOP_BASE_CONDITION_H_
