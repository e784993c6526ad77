// process_wrap.cc: spawning, child processes as JavaScript objects, and the numbers of accounts.
#include <string>
#include <vector>

#include "base/library_pin.h"
#include "bridge/arguments.h"
#include "bridge/environment.h"
#include "bridge/wrap.h"
#include "process/accounts.h"
#include "process/child.h"
#include "process/spawn.h"

namespace fdloop {

const napi_type_tag kChildTag = {0x5b1f0c7d9a3e4826, 0xa47c92e80d5b6f13};

namespace {

// A child that runs goes on without its object.
void DeleteChild(napi_env, void* child, void*) { delete static_cast<Child*>(child); }

// An array of Uint8Arrays. Each is copied before the next one is fetched: an element may be a getter, which
// runs JavaScript.
template <size_t kCount>
bool Texts(const Arguments<kCount>& args, size_t index, const char* name, std::vector<std::string>* texts) {
  napi_env env = args.env();
  bool is_array = false;
  napi_is_array(env, args[index], &is_array);
  uint32_t length = 0;
  if (!is_array || napi_get_array_length(env, args[index], &length) != napi_ok) {
    return ThrowTypeError(env, name, "Array");
  }
  for (uint32_t i = 0; i < length; ++i) {
    napi_value element;
    Bytes bytes;
    if (napi_get_element(env, args[index], i, &element) != napi_ok) return false;
    if (!ReadBytes(env, element, &bytes)) return ThrowTypeError(env, name, "Uint8Array[]");
    texts->emplace_back(reinterpret_cast<const char*>(bytes.data), bytes.length);
  }
  return true;
}

// Bytes, or null for none.
template <size_t kCount>
bool OptionalPath(const Arguments<kCount>& args, size_t index, const char* name, bool* is_present,
                  std::string* path) {
  napi_valuetype type = napi_undefined;
  napi_typeof(args.env(), args[index], &type);
  *is_present = type != napi_null;
  Bytes bytes;
  if (!*is_present) return true;
  if (!args.Bytes(index, name, &bytes)) return false;
  path->assign(reinterpret_cast<const char*>(bytes.data), bytes.length);
  return true;
}

// The places in `settings`; behind them come the numbers of groups.
enum Setting : size_t { kFlags, kUmask, kProcessGroup, kGroup, kUser, kGroups };
enum Flag : int32_t { kClosesOthers = 1, kRestoresSignals = 2, kStartsSession = 4, kSetsGroups = 8 };
constexpr size_t kStreams = 3;

// Numbers of users and groups have 32 bits; all of them set is no number.
int64_t Id(int32_t setting) {
  return setting == -1 ? -1 : static_cast<int64_t>(static_cast<uint32_t>(setting));
}

// False for arrays that are too short.
bool ReadNumbers(const Int32s& fds, const Int32s& settings, SpawnRequest* request) {
  if (fds.length < kStreams || settings.length < kGroups) return false;
  for (size_t i = 0; i < kStreams; ++i) request->streams[i] = fds.data[i];
  request->kept_fds.assign(fds.data + kStreams, fds.data + fds.length);
  const int32_t flags = settings.data[kFlags];
  request->closes_others = (flags & kClosesOthers) != 0;
  request->restores_signals = (flags & kRestoresSignals) != 0;
  request->starts_session = (flags & kStartsSession) != 0;
  request->sets_groups = (flags & kSetsGroups) != 0;
  request->umask = settings.data[kUmask];
  request->process_group = settings.data[kProcessGroup];
  request->group = Id(settings.data[kGroup]);
  request->user = Id(settings.data[kUser]);
  for (size_t i = kGroups; i < settings.length; ++i) {
    request->groups.push_back(static_cast<uint32_t>(settings.data[i]));
  }
  return true;
}

napi_value SpawnCall(napi_env env, napi_callback_info info) {
  Arguments<7> args(env, info);
  SpawnRequest request;
  Int32s fds, settings, failed;
  if (!Texts(args, 0, "executables", &request.executables) || !Texts(args, 1, "args", &request.arguments) ||
      !Texts(args, 2, "environment", &request.environment) ||
      !OptionalPath(args, 3, "directory", &request.has_directory, &request.directory) ||
      !args.Int32s(4, "fds", &fds) || !args.Int32s(5, "settings", &settings) ||
      !args.Int32s(6, "failed", &failed)) {
    return nullptr;
  }
  if (failed.length < 1 || !ReadNumbers(fds, settings, &request)) return FromInt(env, -EINVAL);
  // A thread of ours may have to wait for it.
  if (!PinLibrary()) return FromInt(env, -ENOTSUP);
  SpawnStep step;
  const Result pid = Spawn(request, &step);
  failed.data[0] = static_cast<int32_t>(step);
  if (pid < 0) return FromInt(env, pid);
  auto child = std::make_unique<Child>(pid);
  Napi::Object object = Napi::Object::New(env);
  if (!Wrap(env, object, child.get(), kChildTag, DeleteChild)) return nullptr;
  child.release();
  return object;
}

template <size_t kCount>
Child* ChildOf(const Arguments<kCount>& args) {
  auto* child = Unwrap<Child>(args.env(), args[0], kChildTag);
  if (child == nullptr) ThrowTypeError(args.env(), "child", "NativeChild");
  return child;
}

// Most calls have a child alone, or a child and a number.
template <Result (*kCall)(Child*)>
napi_value ChildCall(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  Child* child = ChildOf(args);
  return child == nullptr ? nullptr : FromInt(env, kCall(child));
}

template <Result (Child::*kCall)(int), const char* kName>
napi_value ChildNumberCall(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  Child* child = ChildOf(args);
  int32_t number;
  if (child == nullptr || !args.Int32(1, kName, &number)) return nullptr;
  return FromInt(env, (child->*kCall)(number));
}

Result Pid(Child* child) { return child->Pid(); }
Result Descriptor(Child* child) { return child->Descriptor(); }
Result HasEnded(Child* child) { return child->HasEnded(); }
Result Unwatch(Child* child) {
  child->Unwatch();
  return 0;
}

napi_value Reap(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  Child* child = ChildOf(args);
  Int32s status;
  if (child == nullptr || !args.Int32s(1, "status", &status)) return nullptr;
  if (status.length < 1) return FromInt(env, -EINVAL);
  return FromInt(env, child->Reap(&status.data[0]));
}

template <Result (*kFind)(const char*, uint32_t*)>
napi_value FindAccount(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  std::string name;
  Int32s id;
  if (!args.String(0, "name", &name) || !args.Int32s(1, "id", &id)) return nullptr;
  if (id.length < 1) return FromInt(env, -EINVAL);
  uint32_t number = 0;
  const Result result = kFind(name.c_str(), &number);
  if (result == 0) id.data[0] = static_cast<int32_t>(number);
  return FromInt(env, result);
}

constexpr char kWakeFd[] = "wakeFd";
constexpr char kSignal[] = "signal";

}  // namespace

void DefineProcesses(Napi::Env, Napi::Object exports) {
  Define(exports, {
                      Function("spawn", SpawnCall),
                      Function("childPid", ChildCall<Pid>),
                      Function("childDescriptor", ChildCall<Descriptor>),
                      Function("watchChild", ChildNumberCall<&Child::WatchByThread, kWakeFd>),
                      Function("unwatchChild", ChildCall<Unwatch>),
                      Function("childHasEnded", ChildCall<HasEnded>),
                      Function("reapChild", Reap),
                      Function("findUser", FindAccount<FindUser>),
                      Function("findGroup", FindAccount<FindGroup>),
                      Function("signalChild", ChildNumberCall<&Child::Signal, kSignal>),
                  });
}

}  // namespace fdloop
