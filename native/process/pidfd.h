// pidfd.h: descriptors of processes, which Linux has from 5.3 on. They become readable when the process ends,
// and are never another process', as a number may be after a while.
#ifndef FDLOOP_PROCESS_PIDFD_H_
#define FDLOOP_PROCESS_PIDFD_H_

#include <signal.h>
#include <sys/types.h>

#include "base/result.h"

namespace fdloop {

// A descriptor, close-on-exec; -ENOSYS where there is none, -EPERM where a sandbox forbids it.
Result OpenPidfd(pid_t pid);

// -ENOSYS where that cannot be done by a descriptor.
Result SignalByPidfd(int pidfd, int number);

// As waitid; -ENOSYS where that cannot be done by a descriptor.
Result WaitByPidfd(int pidfd, siginfo_t* info, int options);

}  // namespace fdloop

#endif  // FDLOOP_PROCESS_PIDFD_H_
