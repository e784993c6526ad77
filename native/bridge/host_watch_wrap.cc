// host_watch_wrap.cc: the JavaScript face of a watch (NativeHostWatch in lib/native/types.ts).
#include <string>

#include "bridge/arguments.h"
#include "bridge/environment.h"
#include "bridge/host_watch.h"
#include "bridge/selector_wrap.h"
#include "bridge/wrap.h"
#include "socket/socket.h"

namespace fdloop {

const napi_type_tag kHostWatchTag = {0x2b97e1d05c6f4a83, 0xb0c45d8e7f13926a};

namespace {

void DeleteWatch(napi_env, void* watch, void*) { delete static_cast<HostWatch*>(watch); }

HostWatch* Self(const Arguments<0>& args) {
  auto* watch = Unwrap<HostWatch>(args.env(), args.self(), kHostWatchTag);
  if (watch == nullptr) ThrowTypeError(args.env(), "this", "HostWatch");
  return watch;
}

napi_value Construct(napi_env env, napi_callback_info info) {
  Arguments<0> args(env, info);
  auto* environment = static_cast<Environment*>(args.data());
  HostWatch* watch = environment->new_host_watch;
  if (watch == nullptr) {
    napi_throw_type_error(env, "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor");
    return nullptr;
  }
  if (!Wrap(env, args.self(), watch, kHostWatchTag, DeleteWatch)) return nullptr;
  environment->new_host_watch = nullptr;
  return args.self();
}

napi_value Arm(napi_env env, napi_callback_info info) {
  HostWatch* self = Self(Arguments<0>(env, info));
  return self == nullptr ? nullptr : FromInt(env, self->Arm());
}

napi_value Disarm(napi_env env, napi_callback_info info) {
  HostWatch* self = Self(Arguments<0>(env, info));
  if (self != nullptr) self->Disarm();
  return nullptr;
}

napi_value Ref(napi_env env, napi_callback_info info) {
  HostWatch* self = Self(Arguments<0>(env, info));
  if (self != nullptr) self->SetReferenced(true);
  return nullptr;
}

napi_value Unref(napi_env env, napi_callback_info info) {
  HostWatch* self = Self(Arguments<0>(env, info));
  if (self != nullptr) self->SetReferenced(false);
  return nullptr;
}

napi_value Close(napi_env env, napi_callback_info info) {
  HostWatch* self = Self(Arguments<0>(env, info));
  if (self != nullptr) self->Close();
  return nullptr;
}

// Takes the watch in any case. The callback is a property of the object and not a reference of its own: it
// usually refers to the object in turn, and only a circle of JavaScript's own can be collected.
napi_value MakeObject(napi_env env, Environment* environment, std::unique_ptr<HostWatch> watch,
                      napi_value on_ready) {
  HostWatch* native = watch.get();
  environment->new_host_watch = native;
  Napi::Object object = environment->host_watch_class.New({});
  // The constructor took it, and with it the object's finalizer did.
  if (environment->new_host_watch == nullptr) watch.release();
  environment->new_host_watch = nullptr;
  if (object.IsEmpty()) return nullptr;
  Define(object, {Value("onReady", on_ready)});
  const Result result = native->SetObject(object, on_ready);
  if (result >= 0) return object;
  native->Close();
  return FromInt(env, result);
}

// The engine watches a duplicate, so the caller's number stays the caller's.
Result MakeNested(Environment* environment, HostWatch* watch, int fd, WatchEngine** engine) {
  const Result duplicate = Duplicate(fd);
  if (duplicate < 0) return duplicate;
  return MakeNestedEngine(watch, UniqueFd(duplicate), &environment->nudge, engine);
}

napi_value Create(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  std::string mode;
  std::shared_ptr<Selector> selector = SelectorOf(env, args[0]);
  if (selector == nullptr) return ThrowTypeError(env, "selector", "Selector"), nullptr;
  if (!args.String(1, "mode", &mode) || !args.Function(2, "onReady")) return nullptr;
  // A closed selector has no descriptor either, but that is not the mode's fault.
  const int fd = selector->Fd();
  if (selector->IsClosed()) return FromInt(env, -EBADF);
  auto* environment = static_cast<Environment*>(args.data());
  auto watch = std::make_unique<HostWatch>(env, selector);
  WatchEngine* engine = nullptr;
  Result result = -ENOTSUP;
  if (mode == "thread") result = MakeThreadEngine(watch.get(), selector.get(), &engine);
  if (mode == "nested" && fd >= 0) result = MakeNested(environment, watch.get(), fd, &engine);
  if (result < 0) return FromInt(env, result);
  watch->SetEngine(engine);
  return MakeObject(env, environment, std::move(watch), args[2]);
}

napi_value CreateForFd(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t fd;
  if (!args.Int32(0, "fd", &fd) || !args.Function(1, "onReady")) return nullptr;
  auto* environment = static_cast<Environment*>(args.data());
  auto watch = std::make_unique<HostWatch>(env, nullptr);
  WatchEngine* engine = nullptr;
  const Result result = MakeNested(environment, watch.get(), fd, &engine);
  if (result < 0) return FromInt(env, result);
  watch->SetEngine(engine);
  return MakeObject(env, environment, std::move(watch), args[1]);
}

// From now on the host's loop is woken whenever a watch is started.
napi_value NudgeHost(napi_env env, napi_callback_info info) {
  Arguments<0> args(env, info);
  return FromInt(env, static_cast<Environment*>(args.data())->nudge.Open(env) ? 0 : -ENOTSUP);
}

}  // namespace

void DefineHostWatches(Napi::Env env, Napi::Object exports, Environment* environment) {
  environment->host_watch_class =
      Napi::Persistent(DefineClass(env, "NativeHostWatch", Construct, environment,
                                   {Method("arm", Arm), Method("disarm", Disarm), Method("ref", Ref),
                                    Method("unref", Unref), Method("close", Close)}));
  Define(exports, {Function("createHostWatch", Create, environment),
                   Function("createHostWatchForFd", CreateForFd, environment),
                   Function("nudgeHost", NudgeHost, environment)});
}

}  // namespace fdloop
