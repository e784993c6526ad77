// nesting.h: keeps a facility's descriptor such that a host may watch it from outside.
#ifndef FDLOOP_SELECTOR_NESTING_H_
#define FDLOOP_SELECTOR_NESTING_H_

#include "base/result.h"
#include "base/unique_fd.h"

namespace fdloop {

// The system refuses chains of facilities that watch one another when they become too long, at the call that
// makes the last link. While `anchor` is open the host's link is counted as there. -errno if there is no room
// for it.
Result AnchorNesting(int fd, UniqueFd* anchor);

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_NESTING_H_
