// environment.h: what the addon remembers for one environment (one per worker, one per module registry in
// some test runners). There is no other mutable state outside objects.
#ifndef FDLOOP_BRIDGE_ENVIRONMENT_H_
#define FDLOOP_BRIDGE_ENVIRONMENT_H_

#include <node_api.h>

#include <memory>

#include "bridge/owned_fds.h"
#include "selector/selector.h"

namespace fdloop {

class HostWatch;

struct Environment {
  napi_ref selector_class = nullptr;
  napi_ref host_watch_class = nullptr;
  // What the next constructor call is to wrap. A constructor call that finds nothing came from JavaScript and
  // is refused.
  std::shared_ptr<Selector> new_selector;
  HostWatch* new_host_watch = nullptr;
  OwnedFds owned_fds;
};

// Each adds its part to the exports. False after a failed Node-API call, with an exception pending.
bool DefineSelectors(napi_env env, napi_value exports, Environment* environment);
bool DefineHostWatches(napi_env env, napi_value exports, Environment* environment);
bool DefineSockets(napi_env env, napi_value exports);
bool DefineMessages(napi_env env, napi_value exports);
bool DefineAddresses(napi_env env, napi_value exports);
bool DefineResolver(napi_env env, napi_value exports);

}  // namespace fdloop

#endif  // FDLOOP_BRIDGE_ENVIRONMENT_H_
