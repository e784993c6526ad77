// environment.h: what the addon remembers for one environment (one per worker, one per module registry in
// some test runners). There is no other mutable state outside objects.
#ifndef FDLOOP_BRIDGE_ENVIRONMENT_H_
#define FDLOOP_BRIDGE_ENVIRONMENT_H_

#include <napi.h>

#include <memory>

#include "bridge/host_nudge.h"
#include "bridge/owned_fds.h"
#include "bridge/owned_wake_ends.h"
#include "bridge/selector_table.h"
#include "process/signal.h"
#include "selector/selector.h"

namespace fdloop {

class HostWatch;

struct Environment {
  // Before the sockets go that signals are sent to.
  ~Environment() { ForgetSignals(this); }

  Napi::FunctionReference selector_class;
  Napi::FunctionReference host_watch_class;
  // What the next constructor call is to wrap. A constructor call that finds nothing came from JavaScript and
  // is refused.
  std::shared_ptr<Selector> new_selector;
  HostWatch* new_host_watch = nullptr;
  // Shared with the objects in it, which may be collected later than this.
  std::shared_ptr<SelectorTable> selectors = std::make_shared<SelectorTable>();
  OwnedFds owned_fds;
  OwnedWakeEnds owned_wake_ends;
  HostNudge nudge;
};

// Each adds its part to the exports. What fails leaves an exception pending, which fails the loading.
void DefineSelectors(Napi::Env env, Napi::Object exports, Environment* environment);
void DefineHostWatches(Napi::Env env, Napi::Object exports, Environment* environment);
void DefineSockets(Napi::Env env, Napi::Object exports);
void DefineHotCalls(Napi::Object exports, Environment* environment);
void DefineFiles(Napi::Object exports);
void DefineMessages(Napi::Env env, Napi::Object exports);
void DefineAddresses(Napi::Env env, Napi::Object exports);
void DefineResolver(Napi::Env env, Napi::Object exports);
void DefineProcesses(Napi::Env env, Napi::Object exports);
void DefineSignals(Napi::Env env, Napi::Object exports);

}  // namespace fdloop

#endif  // FDLOOP_BRIDGE_ENVIRONMENT_H_
