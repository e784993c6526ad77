// leaves_windows.cc: the selectors of a Windows build, best first.
#include "base/winsock.h"
#include "selector/registry.h"
#include "selector/watchable.h"

namespace fdloop {

const SelectorLeaf kSelectorLeaves[] = {{"iocp", MakeIocp}, {"select", MakeSelect}};
const size_t kSelectorLeafCount = sizeof kSelectorLeaves / sizeof *kSelectorLeaves;

// select() itself finds out what is not open.
Result CheckWatchable(int fd) {
  const Result result = CheckSocket(fd);
  return result == -EBADF ? 0 : result;
}

}  // namespace fdloop
