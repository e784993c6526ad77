// registry.cc: finds a leaf by its name. The choice of a default is made in TypeScript.
#include "selector/registry.h"

#include <string.h>

namespace fdloop {

Result CreateSelector(const char* name, std::unique_ptr<Selector>* selector) {
  for (size_t i = 0; i < kSelectorLeafCount; ++i) {
    if (strcmp(kSelectorLeaves[i].name, name) == 0) return kSelectorLeaves[i].make(selector);
  }
  return -ENOSYS;
}

}  // namespace fdloop
