// host_watch.h: how a host loop learns that a selector has something to report. This is the one place where
// native code calls JavaScript, and "there is something" is all that it says.
//
// Two objects, because they die at different times. The HostWatch belongs to the JavaScript object: it knows
// whether the watch is armed, and calls back. Its engine belongs to the host loop, which lets go of it only
// after a turn or two, perhaps when the JavaScript object, or the whole environment, is already gone:
//
//   JavaScript object --owns--> HostWatch --engine_--> WatchEngine --owned by--> uv_poll_t | waiting thread
//                                         <--watch_--
//
// Either side clears both pointers when it goes, so neither is ever used after its end.
#ifndef FDLOOP_BRIDGE_HOST_WATCH_H_
#define FDLOOP_BRIDGE_HOST_WATCH_H_

#include <node_api.h>
#include <stdint.h>

#include <memory>

#include "base/result.h"
#include "base/unique_fd.h"
#include "selector/selector.h"

namespace fdloop {

class HostNudge;
class HostWatch;

// What wakes the host loop. All calls come from the host's thread.
class WatchEngine {
 public:
  // Whether it calls HostWatch::Ready from inside a callback scope of the host's. From a bare callback of the
  // loop one has to be made.
  virtual bool HasScope() const = 0;

  // From Start to Stop, HostWatch::Ready is called with `ticket` when there is something, at least once and
  // possibly more often. A call with an older ticket may still come; the watch ignores it.
  virtual Result Start(uint32_t ticket) = 0;
  virtual void Stop() = 0;

  // Whether a started engine keeps the process alive.
  virtual void SetReferenced(bool referenced) = 0;

  virtual void InterestsChanged() {}

  // Lets go of the selector at once and of everything else soon. The engine deletes itself.
  virtual void Release() = 0;

 protected:
  virtual ~WatchEngine() = default;
};

class HostWatch final : public SelectorObserver {
 public:
  HostWatch(napi_env env, std::shared_ptr<Selector> selector);
  HostWatch(const HostWatch&) = delete;
  HostWatch& operator=(const HostWatch&) = delete;
  ~HostWatch();

  // In this order, once each. `object` keeps `callback` alive.
  void SetEngine(WatchEngine* engine);
  Result SetObject(napi_value object, napi_value callback);

  Result Arm();
  void Disarm();
  void SetReferenced(bool referenced);
  void Close();

  // For the engine.
  bool IsArmed() const { return armed_; }
  bool IsOpen() const { return engine_ != nullptr; }
  napi_env env() const { return env_; }
  void Ready(uint32_t ticket);

  // SelectorObserver.
  void InterestsChanged() override;
  void SelectorClosing() override;

 private:
  void HoldWhileArmed();
  bool Call(napi_value object);

  napi_env env_;
  std::shared_ptr<Selector> selector_;  // Empty for a watch on a foreign descriptor.
  WatchEngine* engine_ = nullptr;
  napi_ref object_ = nullptr;                   // Weak while disarmed, strong while armed.
  napi_ref callback_ = nullptr;                 // Weak: it lives as long as the object.
  napi_async_context async_context_ = nullptr;  // For an engine without a scope.
  bool armed_ = false;
  bool held_ = false;      // Whether object_ is strong.
  bool disarmed_ = false;  // Since the call began.
  bool calling_ = false;
  uint32_t ticket_ = 0;
};

// A uv_poll_t on `fd`, which becomes the engine's. Nudges whenever it is started; the nudge lives as long as
// the environment. Gives -errno and takes nothing on failure.
Result MakeNestedEngine(HostWatch* watch, UniqueFd fd, HostNudge* nudge, WatchEngine** engine);

// A thread that waits on the selector, and a threadsafe function.
Result MakeThreadEngine(HostWatch* watch, Selector* selector, WatchEngine** engine);

}  // namespace fdloop

#endif  // FDLOOP_BRIDGE_HOST_WATCH_H_
