// leaves_bsd.cc: the selectors of a build for macOS or a BSD, best first.
#include <sys/stat.h>

#include "selector/registry.h"
#include "selector/watchable.h"

namespace fdloop {

const SelectorLeaf kSelectorLeaves[] = {{"kqueue", MakeKqueue}, {"poll", MakePoll}, {"select", MakeSelect}};
const size_t kSelectorLeafCount = sizeof kSelectorLeaves / sizeof *kSelectorLeaves;

// kqueue would take them, and report them once and never again, or for ever, as the system likes.
Result CheckWatchable(int fd) {
  struct stat status;
  if (fstat(fd, &status) < 0) return 0;
  return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) ? -EPERM : 0;
}

}  // namespace fdloop
