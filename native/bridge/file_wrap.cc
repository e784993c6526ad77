// file_wrap.cc: pipes and kinds of files as JavaScript functions. Reading and writing are in hot_calls.cc.
#include "socket/file.h"

#include "bridge/arguments.h"
#include "bridge/environment.h"
#include "bridge/wrap.h"

namespace fdloop {

namespace {

napi_value PipeCall(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  Int32s fds;
  if (!args.Int32s(0, "fds", &fds)) return nullptr;
  return FromInt(env, fds.length < 2 ? -EINVAL : OpenPipe(fds.data));
}

napi_value FileModeCall(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  int32_t fd;
  if (!args.Int32(0, "fd", &fd)) return nullptr;
  return FromInt(env, FileMode(fd));
}

}  // namespace

void DefineFiles(Napi::Object exports) {
  Define(exports, {Function("pipe", PipeCall), Function("fileMode", FileModeCall)});
}

}  // namespace fdloop
