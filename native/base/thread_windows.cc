// thread_windows.cc: a thread of our own, by the C library, which then knows of it. There are no signals to
// keep from it.
#include <process.h>

#include <memory>

#include "base/thread.h"
#include "base/winsock.h"

namespace fdloop {

namespace {

struct Task {
  void (*main)(void* context);
  void* context;
};

unsigned __stdcall Run(void* data) {
  const Task task = *std::unique_ptr<Task>(static_cast<Task*>(data));
  task.main(task.context);
  return 0;
}

}  // namespace

Result Thread::Start(void (*main)(void* context), void* context) {
  auto task = std::make_unique<Task>(Task{main, context});
  const uintptr_t handle = _beginthreadex(nullptr, 0, Run, task.get(), 0, nullptr);
  if (handle == 0) return LastFailure();
  task.release();
  handle_ = reinterpret_cast<void*>(handle);
  is_ours_ = true;
  return 0;
}

void Thread::Join() {
  if (!is_ours_) return;
  WaitForSingleObject(handle_, INFINITE);
  Detach();
}

void Thread::Detach() {
  if (is_ours_) CloseHandle(handle_);
  is_ours_ = false;
}

}  // namespace fdloop
