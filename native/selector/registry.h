// registry.h: the selectors of this build by name. Which ones there are is decided by the build's file list:
// it compiles exactly one leaves_*.cc, and that file names the leaves that it was compiled with.
#ifndef FDLOOP_SELECTOR_REGISTRY_H_
#define FDLOOP_SELECTOR_REGISTRY_H_

#include <stddef.h>

#include <memory>

#include "selector/selector.h"

namespace fdloop {

// Makes a selector, or gives -errno and leaves `selector` alone.
using SelectorFactory = Result (*)(std::unique_ptr<Selector>* selector);

struct SelectorLeaf {
  const char* name;
  SelectorFactory make;
};

// Best first. Defined by the leaves_*.cc of the platform.
extern const SelectorLeaf kSelectorLeaves[];
extern const size_t kSelectorLeafCount;

// The leaves' factories. A build that does not compile a leaf does not refer to its factory either.
Result MakeEpoll(std::unique_ptr<Selector>* selector);
Result MakeKqueue(std::unique_ptr<Selector>* selector);
Result MakeIocp(std::unique_ptr<Selector>* selector);
Result MakePoll(std::unique_ptr<Selector>* selector);
Result MakeSelect(std::unique_ptr<Selector>* selector);

// -ENOSYS for a name that is not compiled in.
Result CreateSelector(const char* name, std::unique_ptr<Selector>* selector);

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_REGISTRY_H_
