// watchable.h: whether a descriptor is something that can be waited for. poll() and select() take regular
// files and directories and call them ready for ever, so whoever waits for one is spinning without knowing
// it; here they are refused by every leaf, as epoll does by itself.
//
// Not every file that stat() calls regular is meant: those of /proc/self/mountinfo, of sysfs (GPIO) and of
// cgroups report priority events. Only the kernel knows which, so each platform asks in its own way.
#ifndef FDLOOP_SELECTOR_WATCHABLE_H_
#define FDLOOP_SELECTOR_WATCHABLE_H_

#include "base/result.h"

namespace fdloop {

// -EPERM for a regular file or a directory that is always ready, otherwise 0: also for a descriptor that is
// not open, which is the affair of the leaf. On Windows, -ENOTSOCK for whatever is no socket. Defined by the
// platform: epoll.cc, leaves_bsd.cc, leaves_windows.cc.
Result CheckWatchable(int fd);

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_WATCHABLE_H_
