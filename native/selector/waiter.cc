// waiter.cc: the waiting thread. The plain pthread calls are deliberate: std::thread and
// std::condition_variable would tie the binary to newer C++ libraries than anything else here needs.
//
// Two places to sleep: on the condition while disarmed, in the selector while armed. `in_wait_` is true from
// before the thread takes its copy of the interests until after it has left the kernel, so a change in
// between is either in the copy or wakes the thread.
#include "selector/waiter.h"

#include <signal.h>

namespace fdloop {

namespace {

class Lock {
 public:
  explicit Lock(pthread_mutex_t* mutex) : mutex_(mutex) { pthread_mutex_lock(mutex_); }
  ~Lock() { pthread_mutex_unlock(mutex_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  pthread_mutex_t* mutex_;
};

}  // namespace

Result Waiter::Start(Selector* selector, Report report, void* context) {
  selector_ = selector;
  report_ = report;
  context_ = context;
  const Result opened = wake_pipe_.Open();
  if (opened < 0) return opened;
  // Signals are the host's: none of them is to be handled on this thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failure = pthread_create(&thread_, nullptr, Main, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  has_thread_ = failure == 0;
  return -failure;
}

void* Waiter::Main(void* waiter) {
  static_cast<Waiter*>(waiter)->Run();
  return nullptr;
}

void Waiter::Arm(uint32_t ticket) {
  Lock lock(&mutex_);
  ticket_ = ticket;
  armed_ = true;
  pthread_cond_signal(&changed_);
}

void Waiter::Disarm() {
  Lock lock(&mutex_);
  armed_ = false;
}

void Waiter::InterestsChanged() {
  Lock lock(&mutex_);
  if (in_wait_) wake_pipe_.Wake();
}

void Waiter::Stop() {
  if (!has_thread_) return;
  {
    Lock lock(&mutex_);
    stopping_ = true;
    armed_ = false;
    pthread_cond_signal(&changed_);
    if (in_wait_) wake_pipe_.Wake();
  }
  pthread_join(thread_, nullptr);
  has_thread_ = false;
}

// With the mutex held.
void Waiter::WaitUntilArmed() {
  while (!armed_ && !stopping_) pthread_cond_wait(&changed_, &mutex_);
}

void Waiter::Run() {
  pthread_mutex_lock(&mutex_);
  for (;;) {
    WaitUntilArmed();
    if (stopping_) break;
    in_wait_ = true;
    pthread_mutex_unlock(&mutex_);
    const Result result = selector_->WaitElsewhere(wake_pipe_.Fd());
    pthread_mutex_lock(&mutex_);
    in_wait_ = false;
    wake_pipe_.Drain();
    // An error counts as readiness: the owner's next Wait will meet it and can deal with it.
    if (result == 0 || !armed_ || stopping_) continue;
    armed_ = false;
    const uint32_t ticket = ticket_;
    pthread_mutex_unlock(&mutex_);
    report_(context_, ticket);
    pthread_mutex_lock(&mutex_);
  }
  pthread_mutex_unlock(&mutex_);
}

}  // namespace fdloop
