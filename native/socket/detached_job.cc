// detached_job.cc: detached threads that wake a loop.
#include "socket/detached_job.h"

#include "base/thread.h"
#include "socket/socket.h"

namespace fdloop {

Result DetachedJob::Start(const std::shared_ptr<DetachedJob>& job, int wake_fd) {
  const Result copy = Duplicate(wake_fd);
  if (copy < 0) return copy;
  job->wake_end_.Reset(copy);
  auto owner = std::make_unique<std::shared_ptr<DetachedJob>>(job);
  Thread thread;
  const Result started = thread.Start(Main, owner.get());
  if (started < 0) {
    job->wake_end_.Reset();
    return started;
  }
  thread.Detach();
  owner.release();
  return 0;
}

void DetachedJob::Main(void* data) {
  const std::unique_ptr<std::shared_ptr<DetachedJob>> owner(static_cast<std::shared_ptr<DetachedJob>*>(data));
  DetachedJob& job = **owner;
  job.Work();
  const std::lock_guard<std::mutex> lock(job.mutex_);
  job.is_done_ = true;
  // With the mutex held: whoever finds the outcome also finds the descriptor closed.
  if (job.wake_end_.IsOpen()) {
    const uint8_t byte = 0;
    Send(job.wake_end_.get(), &byte, 1, kDoNotWait);
    job.wake_end_.Reset();
  }
  if (job.is_abandoned_) job.Drop();
}

bool DetachedJob::IsDone() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return is_done_;
}

void DetachedJob::StopWaking() {
  const std::lock_guard<std::mutex> lock(mutex_);
  wake_end_.Reset();
}

bool DetachedJob::Abandon() {
  const std::lock_guard<std::mutex> lock(mutex_);
  wake_end_.Reset();
  is_abandoned_ = true;
  return is_done_;
}

}  // namespace fdloop
