// waiter.h: a thread that waits on a selector for someone who cannot: for hosts without a loop of libuv's,
// and for selectors without a descriptor. It only says "there is something"; the owner then asks with Wait.
//
// Each Arm gives at most one report, and none is lost: the thread looks at the selector after every Arm, so
// what became ready before counts too. Between a report and the next Arm the thread sleeps, however ready the
// selector is. Disarm costs no system call; the thread finds out when it next wakes.
#ifndef FDLOOP_SELECTOR_WAITER_H_
#define FDLOOP_SELECTOR_WAITER_H_

#include <stdint.h>

#include <mutex>

#include "base/condition.h"
#include "base/result.h"
#include "base/thread.h"
#include "base/wake_pipe.h"
#include "selector/selector.h"

namespace fdloop {

class Waiter {
 public:
  // Called on the waiting thread, with the ticket of the Arm that it answers. It must not call the waiter.
  using Report = void (*)(void* context, uint32_t ticket);

  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { Stop(); }

  // The selector must stay open until Stop has returned.
  Result Start(Selector* selector, Report report, void* context);

  void Arm(uint32_t ticket);
  void Disarm();

  // To be called when the selector's interests have changed.
  void InterestsChanged();

  // Ends the thread and waits for its end; no report comes after this. May be called again.
  void Stop();

 private:
  void Run();

  Selector* selector_ = nullptr;
  Report report_ = nullptr;
  void* context_ = nullptr;
  WakePipe wake_pipe_;
  Thread thread_;

  // All below belong to the mutex.
  std::mutex mutex_;
  Condition changed_;
  bool armed_ = false;
  bool stopping_ = false;
  bool in_wait_ = false;
  uint32_t ticket_ = 0;
};

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_WAITER_H_
