// waiter.cc: the waiting thread.
//
// Two places to sleep: on the condition while disarmed, in the selector while armed. `in_wait_` is true from
// before the thread takes its copy of the interests until after it has left the kernel, so a change in
// between is either in the copy or wakes the thread.
#include "selector/waiter.h"

namespace fdloop {

using Lock = std::unique_lock<std::mutex>;

Result Waiter::Start(Selector* selector, Report report, void* context) {
  selector_ = selector;
  report_ = report;
  context_ = context;
  const Result opened = wake_pipe_.Open();
  if (opened < 0) return opened;
  return thread_.Start([](void* waiter) { static_cast<Waiter*>(waiter)->Run(); }, this);
}

void Waiter::Arm(uint32_t ticket) {
  Lock lock(mutex_);
  ticket_ = ticket;
  armed_ = true;
  changed_.Signal();
}

void Waiter::Disarm() {
  Lock lock(mutex_);
  armed_ = false;
}

void Waiter::InterestsChanged() {
  Lock lock(mutex_);
  if (in_wait_) wake_pipe_.Wake();
}

void Waiter::Stop() {
  {
    Lock lock(mutex_);
    stopping_ = true;
    armed_ = false;
    changed_.Signal();
    if (in_wait_) wake_pipe_.Wake();
  }
  thread_.Join();
}

void Waiter::Run() {
  Lock lock(mutex_);
  for (;;) {
    while (!armed_ && !stopping_) changed_.Wait(&lock);
    if (stopping_) return;
    in_wait_ = true;
    lock.unlock();
    const Result result = selector_->WaitElsewhere(wake_pipe_.Fd());
    lock.lock();
    in_wait_ = false;
    wake_pipe_.Drain();
    // An error counts as readiness: the owner's next Wait will meet it and can deal with it.
    if (result == 0 || !armed_ || stopping_) continue;
    armed_ = false;
    const uint32_t ticket = ticket_;
    lock.unlock();
    report_(context_, ticket);
    lock.lock();
  }
}

}  // namespace fdloop
