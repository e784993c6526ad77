// nesting_none.cc: for systems that do not refuse a chain of facilities, or have none that is watched.
#include "selector/nesting.h"

namespace fdloop {

Result AnchorNesting(int, UniqueFd*) { return 0; }

}  // namespace fdloop
