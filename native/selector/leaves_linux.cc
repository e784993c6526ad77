// leaves_linux.cc: the selectors of a Linux build, best first.
#include "selector/registry.h"

namespace fdloop {

const SelectorLeaf kSelectorLeaves[] = {{"epoll", MakeEpoll}, {"poll", MakePoll}, {"select", MakeSelect}};
const size_t kSelectorLeafCount = sizeof kSelectorLeaves / sizeof *kSelectorLeaves;

}  // namespace fdloop
