// signal_wrap.cc: signals as JavaScript functions. What an environment watches ends with it.
#include "base/library_pin.h"
#include "bridge/arguments.h"
#include "bridge/environment.h"
#include "bridge/wrap.h"
#include "process/signal.h"

namespace fdloop {

namespace {

napi_value IsSignalCall(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  int32_t signal;
  if (!args.Int32(0, "signal", &signal)) return nullptr;
  return FromInt(env, IsSignal(signal));
}

// unwatchSignal, releaseSignal and takeMissedSignals.
template <Result (*kCall)(int, int)>
napi_value SignalCall(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t signal, fd;
  if (!args.Int32(0, "signal", &signal) || !args.Int32(1, "fd", &fd)) return nullptr;
  return FromInt(env, kCall(signal, fd));
}

napi_value Reserve(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t signal, fd;
  if (!args.Int32(0, "signal", &signal) || !args.Int32(1, "fd", &fd)) return nullptr;
  // A handler may still be under way on some thread when the last environment is gone.
  if (!PinLibrary()) return FromInt(env, -ENOTSUP);
  const void* owner = Napi::Env(env).GetInstanceData<Environment>();
  return FromInt(env, ReserveSignal(signal, fd, owner));
}

napi_value Watch(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  int32_t signal, fd;
  bool host_listens;
  if (!args.Int32(0, "signal", &signal) || !args.Int32(1, "fd", &fd) ||
      !args.Bool(2, "hostListens", &host_listens)) {
    return nullptr;
  }
  return FromInt(env, WatchSignal(signal, fd, host_listens));
}

}  // namespace

void DefineSignals(Napi::Env, Napi::Object exports) {
  Define(exports, {
                      Function("isSignal", IsSignalCall),
                      Function("reserveSignal", Reserve),
                      Function("watchSignal", Watch),
                      Function("unwatchSignal", SignalCall<UnwatchSignal>),
                      Function("releaseSignal", SignalCall<ReleaseSignal>),
                      Function("takeMissedSignals", SignalCall<TakeMissedSignals>),
                  });
}

}  // namespace fdloop
