// leaves_posix.cc: the selectors of a build for a POSIX system without a facility of its own, best first.
#include "selector/registry.h"

namespace fdloop {

const SelectorLeaf kSelectorLeaves[] = {{"poll", MakePoll}, {"select", MakeSelect}};
const size_t kSelectorLeafCount = sizeof kSelectorLeaves / sizeof *kSelectorLeaves;

}  // namespace fdloop
