// child.h: a process that was spawned: its end, and signals to it. It is reaped here and nowhere else, so its
// number is its own as long as this says so.
#ifndef FDLOOP_PROCESS_CHILD_H_
#define FDLOOP_PROCESS_CHILD_H_

#include <stdint.h>

#include <memory>

#include "base/result.h"
#include "base/unique_fd.h"

namespace fdloop {

class Child {
 public:
  // A child of this process.
  explicit Child(int pid);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  // One that runs goes on, and is reaped some time after its end.
  ~Child();

  int Pid() const { return pid_; }

  // Readable when it has ended, closed when it is reaped. -errno where there is none: then there is
  // WatchByThread.
  Result Descriptor() const { return pidfd_.IsOpen() ? pidfd_.get() : no_pidfd_; }

  // A thread waits for its end; one byte is then sent to the socket `wake_fd`, of which a duplicate is kept
  // until then. -EALREADY the second time.
  Result WatchByThread(int wake_fd);

  // The end is not waited for any more: the duplicate is closed now.
  void Unwatch();

  // 1 if it has ended, 0 if not; -ECHILD if somebody else has reaped it.
  Result HasEnded() const;

  // 0 and its status: the number that it ended with, or minus the signal that it was ended by. -EAGAIN while
  // it runs, -ECHILD if it was reaped before.
  Result Reap(int32_t* status);

  // -ESRCH if it was reaped.
  Result Signal(int number);

 private:
  struct Watch;

  const int pid_;
  UniqueFd pidfd_;
  Result no_pidfd_ = 0;
  bool is_reaped_ = false;
  std::shared_ptr<Watch> watch_;
};

// Those that ended after nobody wanted to know any more.
void ReapAbandoned();

}  // namespace fdloop

#endif  // FDLOOP_PROCESS_CHILD_H_
