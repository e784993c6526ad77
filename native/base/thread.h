// thread.h: a thread of our own. std::thread is left out on purpose: it would tie the binary to newer C++
// libraries than anything else here needs.
#ifndef FDLOOP_BASE_THREAD_H_
#define FDLOOP_BASE_THREAD_H_

#ifndef _WIN32
#include <pthread.h>
#endif

#include "base/result.h"

namespace fdloop {

class Thread {
 public:
  Thread() = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // Runs `main(context)` on a new thread, which handles no signals: those are the host's. Not while another
  // thread of this object has been neither joined nor detached.
  Result Start(void (*main)(void* context), void* context);

  // Waits for its end. Does nothing if there is no thread, as after another Join.
  void Join();

  // It is on its own from now on.
  void Detach();

 private:
#ifdef _WIN32
  using Handle = void*;
#else
  using Handle = pthread_t;
#endif
  Handle handle_ = {};
  bool is_ours_ = false;
};

}  // namespace fdloop

#endif  // FDLOOP_BASE_THREAD_H_
