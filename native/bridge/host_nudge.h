// host_nudge.h: wakes the host's loop, for hosts that wait for it on a thread of their own, as Electron does.
// They look at the loop's descriptor while libuv is not running; a handle that is started then is not in it
// before libuv has run again. Electron patches libuv to be told; where that is not so, somebody has to wake
// the loop.
#ifndef FDLOOP_BRIDGE_HOST_NUDGE_H_
#define FDLOOP_BRIDGE_HOST_NUDGE_H_

#include <node_api.h>

namespace fdloop {

// Nothing but a threadsafe function that does nothing: through Node-API, which every host has. Belongs to the
// environment's thread.
class HostNudge {
 public:
  HostNudge() = default;
  HostNudge(const HostNudge&) = delete;
  HostNudge& operator=(const HostNudge&) = delete;
  ~HostNudge() { Close(); }

  // May be called again. False if the host refuses.
  bool Open(napi_env env);

  // Has the loop run once more, soon. Does nothing while closed, or while the last nudge is on its way.
  void Nudge();

 private:
  static void OnCall(napi_env env, napi_value function, void* nudge, void* data);
  static void OnCleanup(void* nudge);

  void Close();

  napi_env env_ = nullptr;
  napi_threadsafe_function function_ = nullptr;
  bool is_on_its_way_ = false;
};

}  // namespace fdloop

#endif  // FDLOOP_BRIDGE_HOST_NUDGE_H_
