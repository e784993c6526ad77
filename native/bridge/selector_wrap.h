// selector_wrap.h: the JavaScript face of a selector (NativeSelector in lib/native/types.ts).
#ifndef FDLOOP_BRIDGE_SELECTOR_WRAP_H_
#define FDLOOP_BRIDGE_SELECTOR_WRAP_H_

#include <node_api.h>

#include <memory>

#include "selector/selector.h"

namespace fdloop {

// The selector behind a JavaScript object, empty if the object is not one of ours. Whoever keeps it keeps the
// facility alive, though not open.
std::shared_ptr<Selector> SelectorOf(napi_env env, napi_value value);

}  // namespace fdloop

#endif  // FDLOOP_BRIDGE_SELECTOR_WRAP_H_
