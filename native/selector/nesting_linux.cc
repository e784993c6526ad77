// nesting_linux.cc: a chain of epolls may be five long. libuv adds its own late, just before it waits, and
// ends the process when it is refused: so an epoll in which nobody waits holds its place.
#include <sys/epoll.h>

#include <utility>

#include "selector/nesting.h"

namespace fdloop {

Result AnchorNesting(int fd, UniqueFd* anchor) {
  UniqueFd outer(epoll_create1(EPOLL_CLOEXEC));
  if (!outer.IsOpen()) return LastFailure();
  epoll_event event = {};
  if (epoll_ctl(outer.get(), EPOLL_CTL_ADD, fd, &event) < 0) return LastFailure();
  *anchor = std::move(outer);
  return 0;
}

}  // namespace fdloop
