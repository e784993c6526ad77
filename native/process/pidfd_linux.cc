// pidfd_linux.cc: by plain system calls: no C library of our floor has functions for them.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/pidfd.h"

// Every architecture has the same numbers for them.
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

namespace fdloop {

namespace {

constexpr int kPidfd = 3;  // P_PIDFD

}  // namespace

Result OpenPidfd(pid_t pid) {
  const long fd = syscall(SYS_pidfd_open, pid, 0);
  return fd < 0 ? LastFailure() : static_cast<Result>(fd);
}

Result SignalByPidfd(int pidfd, int number) {
  return syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) < 0 ? LastFailure() : 0;
}

// Of Linux 5.4: an older kernel knows no such kind of id.
Result WaitByPidfd(int pidfd, siginfo_t* info, int options) {
  const Result result = RetryInterrupted(
      [&] { return waitid(static_cast<idtype_t>(kPidfd), static_cast<id_t>(pidfd), info, options); });
  return result == -EINVAL ? -ENOSYS : result;
}

}  // namespace fdloop
