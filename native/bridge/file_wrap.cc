// file_wrap.cc: the calls of file.h as JavaScript functions, in their cheapest form: memory as an ArrayBuffer
// for reading, a whole view for writing.
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

napi_value ReadAt(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  int32_t fd;
  Bytes memory;
  int64_t offset, length;
  if (!args.Int32(0, "fd", &fd) || !args.Memory(1, "memory", &memory) || !args.Int64(2, "offset", &offset) ||
      !args.Int64(3, "length", &length)) {
    return nullptr;
  }
  if (!memory.Contains(offset, length)) return FromInt(env, -EINVAL);
  return FromInt(env, Read(fd, memory.data + offset, static_cast<size_t>(length)));
}

napi_value WriteFrom(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t fd;
  Bytes buffer;
  if (!args.Int32(0, "fd", &fd) || !args.Bytes(1, "buffer", &buffer)) return nullptr;
  return FromInt(env, Write(fd, buffer.data, buffer.length));
}

napi_value FileModeCall(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  int32_t fd;
  if (!args.Int32(0, "fd", &fd)) return nullptr;
  return FromInt(env, FileMode(fd));
}

}  // namespace

void DefineFiles(Napi::Object exports) {
  Define(exports, {Function("pipe", PipeCall), Function("readAt", ReadAt), Function("writeFrom", WriteFrom),
                   Function("fileMode", FileModeCall)});
}

}  // namespace fdloop
