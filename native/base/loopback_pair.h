// loopback_pair.h: two connected stream sockets where the system has no socketpair().
#ifndef FDLOOP_BASE_LOOPBACK_PAIR_H_
#define FDLOOP_BASE_LOOPBACK_PAIR_H_

#include <stdint.h>

#include "base/result.h"

namespace fdloop {

// A TCP connection through the loopback interface, of AF_INET or AF_INET6 (-EAFNOSUPPORT for others). Both
// ends block, are not inherited, and send at once. Nobody else can have got hold of the other end.
Result OpenLoopbackPair(int family, int32_t fds[2]);

}  // namespace fdloop

#endif  // FDLOOP_BASE_LOOPBACK_PAIR_H_
