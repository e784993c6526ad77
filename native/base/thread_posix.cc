// thread_posix.cc: a thread of our own, by pthread_create.
#include <signal.h>

#include <memory>

#include "base/thread.h"

namespace fdloop {

namespace {

struct Task {
  void (*main)(void* context);
  void* context;
};

void* Run(void* data) {
  const Task task = *std::unique_ptr<Task>(static_cast<Task*>(data));
  task.main(task.context);
  return nullptr;
}

}  // namespace

// A thread inherits the mask of its maker.
Result Thread::Start(void (*main)(void* context), void* context) {
  auto task = std::make_unique<Task>(Task{main, context});
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failure = pthread_create(&handle_, nullptr, Run, task.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failure != 0) return -failure;
  task.release();
  is_ours_ = true;
  return 0;
}

void Thread::Join() {
  if (is_ours_) pthread_join(handle_, nullptr);
  is_ours_ = false;
}

void Thread::Detach() {
  if (is_ours_) pthread_detach(handle_);
  is_ours_ = false;
}

}  // namespace fdloop
