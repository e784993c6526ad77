// pidfd_none.cc: a system whose processes have no descriptors.
#include "process/pidfd.h"

namespace fdloop {

Result OpenPidfd(pid_t) { return -ENOSYS; }
Result SignalByPidfd(int, int) { return -ENOSYS; }
Result WaitByPidfd(int, siginfo_t*, int) { return -ENOSYS; }

}  // namespace fdloop
