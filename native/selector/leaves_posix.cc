// leaves_posix.cc: the selectors of a build for a POSIX system without a facility of its own, best first.
#include <sys/stat.h>

#include "selector/registry.h"
#include "selector/watchable.h"

namespace fdloop {

const SelectorLeaf kSelectorLeaves[] = {{"poll", MakePoll}, {"select", MakeSelect}};
const size_t kSelectorLeafCount = sizeof kSelectorLeaves / sizeof *kSelectorLeaves;

Result CheckWatchable(int fd) {
  struct stat status;
  if (fstat(fd, &status) < 0) return 0;
  return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) ? -EPERM : 0;
}

}  // namespace fdloop
