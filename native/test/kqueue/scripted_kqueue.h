// scripted_kqueue.h: a kernel with kqueue for tests on Linux. It does what kqueue does, as far as kqueue.cc
// asks for it, with an epoll instance in the place of the kqueue, so that its descriptor is one that can be
// watched, forked and closed. A script makes it refuse, be interrupted, and report whatever a test wants; a
// log tells what it was asked.
#ifndef FDLOOP_TEST_KQUEUE_SCRIPTED_KQUEUE_H_
#define FDLOOP_TEST_KQUEUE_SCRIPTED_KQUEUE_H_

#include <sys/event.h>

#include <deque>
#include <vector>

namespace fdloop {

// The first change to this filter with one of these flags is answered by an errno. Whether it is made all the
// same is the refusal's to say.
struct Refusal {
  short filter;
  unsigned flags;
  int error;
  bool is_made = false;
};

struct ScriptedKernel {
  // The script; what was used is gone from it.
  std::deque<Refusal> refusals;
  bool interrupts_changes = false;              // The next call with changes makes them and gives EINTR.
  bool interrupts_wait = false;                 // The next call without changes gives EINTR.
  std::deque<std::vector<struct kevent>> said;  // What the next calls without changes report.
  int failing_kqueue = 0;                       // An errno for kqueue().

  // The log.
  std::vector<struct kevent> changes;
  int change_calls = 0;
  int last_room = -1;  // Of the last call without changes, as its time limit.
  bool last_had_limit = false;
  timespec last_limit = {};
};

ScriptedKernel& Kernel();

// As it was at first. Filters are not affected.
void ResetKernel();

}  // namespace fdloop

#endif  // FDLOOP_TEST_KQUEUE_SCRIPTED_KQUEUE_H_
