// socket_wrap.cc: the socket calls as JavaScript functions. Each reads its arguments, checks that lengths lie
// inside their buffers, and hands on to socket.h. No state but the set of descriptors that the
// environment owns.
#include "bridge/arguments.h"
#include "bridge/chunks.h"
#include "bridge/environment.h"
#include "bridge/wrap.h"
#include "socket/send_file.h"
#include "socket/socket.h"

namespace fdloop {

namespace {

// A run of bytes inside a buffer: three arguments of recv, send and their like.
template <size_t kCount>
bool Run(const Arguments<kCount>& args, size_t index, Chunk* run, bool* is_inside) {
  Bytes buffer;
  int64_t offset, length;
  if (!args.Bytes(index, "buffer", &buffer) || !args.Int64(index + 1, "offset", &offset) ||
      !args.Int64(index + 2, "length", &length)) {
    return false;
  }
  *is_inside = buffer.Contains(offset, length);
  if (*is_inside && length > 0) *run = {buffer.data + offset, static_cast<size_t>(length)};
  return true;
}

// Runs come from JavaScript's buffers, which are all writable; Chunk is const for the sake of sending.
uint8_t* Writable(const Chunk& run) { return const_cast<uint8_t*>(run.data); }

// `lengths[0]` for calls that write an address or an option. `call` gets the room and leaves what it wrote.
template <typename Call>
napi_value WithLength(napi_env env, const Bytes& target, const Int32s& lengths, Call call) {
  if (lengths.length < 1) return FromInt(env, -EINVAL);
  size_t length = target.length;
  const Result result = call(target.data, &length);
  if (result >= 0) lengths.data[0] = static_cast<int32_t>(length);
  return FromInt(env, result);
}

// Most calls have one of a few shapes. Each shape is written once and made into a function per call, so that
// the table at the end of the file reads as the list of calls.

template <Result (*kCall)(int)>
napi_value FdCall(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  int32_t fd;
  if (!args.Int32(0, "fd", &fd)) return nullptr;
  return FromInt(env, kCall(fd));
}

template <Result (*kCall)(int, bool)>
napi_value FdFlagCall(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t fd;
  bool on;
  if (!args.Int32(0, "fd", &fd) || !args.Bool(1, "on", &on)) return nullptr;
  return FromInt(env, kCall(fd, on));
}

// listen and shutdown: a descriptor and a number.
template <Result (*kCall)(int, int), const char* kName>
napi_value FdNumberCall(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t fd, number;
  if (!args.Int32(0, "fd", &fd) || !args.Int32(1, kName, &number)) return nullptr;
  return FromInt(env, kCall(fd, number));
}

// bind and connect: a descriptor and an address to read.
template <Result (*kCall)(int, const uint8_t*, size_t)>
napi_value FdAddressCall(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  int32_t fd;
  Bytes address;
  int64_t length;
  if (!args.Int32(0, "fd", &fd) || !args.Bytes(1, "address", &address) ||
      !args.Int64(2, "addressLength", &length)) {
    return nullptr;
  }
  if (!address.Contains(0, length)) return FromInt(env, -EINVAL);
  return FromInt(env, kCall(fd, address.data, static_cast<size_t>(length)));
}

napi_value Socket(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  int32_t family, type, protocol;
  if (!args.Int32(0, "family", &family) || !args.Int32(1, "type", &type) ||
      !args.Int32(2, "protocol", &protocol)) {
    return nullptr;
  }
  return FromInt(env, OpenSocket(family, type, protocol));
}

napi_value SocketPair(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  int32_t family, type, protocol;
  Int32s fds;
  if (!args.Int32(0, "family", &family) || !args.Int32(1, "type", &type) ||
      !args.Int32(2, "protocol", &protocol) || !args.Int32s(3, "fds", &fds)) {
    return nullptr;
  }
  if (fds.length < 2) return FromInt(env, -EINVAL);
  return FromInt(env, OpenSocketPair(family, type, protocol, fds.data));
}

// With flags and into a part of a view; hot_calls.cc has the form that every message takes.
napi_value Recv(napi_env env, napi_callback_info info) {
  Arguments<5> args(env, info);
  int32_t fd, flags;
  Chunk run = {};
  bool is_inside;
  if (!args.Int32(0, "fd", &fd) || !Run(args, 1, &run, &is_inside) || !args.Int32(4, "flags", &flags)) {
    return nullptr;
  }
  if (!is_inside) return FromInt(env, -EINVAL);
  return FromInt(env, Receive(fd, Writable(run), run.length, flags));
}

napi_value RecvFrom(napi_env env, napi_callback_info info) {
  Arguments<7> args(env, info);
  int32_t fd, flags;
  Chunk run = {};
  bool is_inside;
  Bytes address;
  Int32s lengths;
  if (!args.Int32(0, "fd", &fd) || !Run(args, 1, &run, &is_inside) || !args.Int32(4, "flags", &flags) ||
      !args.Bytes(5, "address", &address) || !args.Int32s(6, "lengths", &lengths)) {
    return nullptr;
  }
  if (!is_inside) return FromInt(env, -EINVAL);
  return WithLength(env, address, lengths, [&](uint8_t* data, size_t* length) {
    return ReceiveFrom(fd, Writable(run), run.length, flags, data, length);
  });
}

napi_value SendBytes(napi_env env, napi_callback_info info) {
  Arguments<5> args(env, info);
  int32_t fd, flags;
  Chunk run = {};
  bool is_inside;
  if (!args.Int32(0, "fd", &fd) || !Run(args, 1, &run, &is_inside) || !args.Int32(4, "flags", &flags)) {
    return nullptr;
  }
  if (!is_inside) return FromInt(env, -EINVAL);
  return FromInt(env, Send(fd, run.data, run.length, flags));
}

napi_value SendBytesTo(napi_env env, napi_callback_info info) {
  Arguments<7> args(env, info);
  int32_t fd, flags;
  Chunk run = {};
  bool is_inside;
  Bytes address;
  int64_t address_length;
  if (!args.Int32(0, "fd", &fd) || !Run(args, 1, &run, &is_inside) || !args.Int32(4, "flags", &flags) ||
      !args.Bytes(5, "address", &address) || !args.Int64(6, "addressLength", &address_length)) {
    return nullptr;
  }
  if (!is_inside || !address.Contains(0, address_length)) return FromInt(env, -EINVAL);
  return FromInt(env,
                 SendTo(fd, run.data, run.length, flags, address.data, static_cast<size_t>(address_length)));
}

napi_value SendChunks(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  int32_t fd, count, flags;
  if (!args.Int32(0, "fd", &fd) || !args.Int32(2, "count", &count) || !args.Int32(3, "flags", &flags)) {
    return nullptr;
  }
  Chunk chunks[kMaxChunks];
  size_t used = 0;
  if (!ReadChunks(env, args[1], count < 0 ? 0 : static_cast<size_t>(count), chunks, &used)) return nullptr;
  if (count < 0) return FromInt(env, -EINVAL);
  return FromInt(env, SendGathered(fd, chunks, used, flags));
}

// own, disown and close: what the environment closes at its end.
OwnedFds* OwnedFdsOf(Napi::Env env) { return &env.GetInstanceData<Environment>()->owned_fds; }

napi_value Own(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  int32_t fd;
  if (!args.Int32(0, "fd", &fd)) return nullptr;
  return FromInt(env, OwnedFdsOf(env)->Add(fd));
}

napi_value Disown(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  int32_t fd;
  if (!args.Int32(0, "fd", &fd)) return nullptr;
  return FromInt(env, fd < 0 ? -EBADF : OwnedFdsOf(env)->Remove(fd));
}

napi_value CloseCall(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  int32_t fd;
  if (!args.Int32(0, "fd", &fd)) return nullptr;
  OwnedFdsOf(env)->Remove(fd);
  return FromInt(env, Close(fd));
}

napi_value GetSockOpt(napi_env env, napi_callback_info info) {
  Arguments<5> args(env, info);
  int32_t fd, level, option;
  Bytes value;
  Int32s lengths;
  if (!args.Int32(0, "fd", &fd) || !args.Int32(1, "level", &level) || !args.Int32(2, "option", &option) ||
      !args.Bytes(3, "value", &value) || !args.Int32s(4, "lengths", &lengths)) {
    return nullptr;
  }
  return WithLength(env, value, lengths, [&](uint8_t* data, size_t* length) {
    return GetOption(fd, level, option, data, length);
  });
}

napi_value SetSockOpt(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  int32_t fd, level, option;
  Bytes value;
  if (!args.Int32(0, "fd", &fd) || !args.Int32(1, "level", &level) || !args.Int32(2, "option", &option) ||
      !args.Bytes(3, "value", &value)) {
    return nullptr;
  }
  return FromInt(env, SetOption(fd, level, option, value.data, value.length));
}

napi_value SendFileCall(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  int32_t out_fd, in_fd;
  int64_t offset, count;
  if (!args.Int32(0, "outFd", &out_fd) || !args.Int32(1, "inFd", &in_fd) ||
      !args.Int64(2, "offset", &offset) || !args.Int64(3, "count", &count)) {
    return nullptr;
  }
  return FromInt(env, SendFile(out_fd, in_fd, offset, count));
}

napi_value SeekCall(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t fd;
  int64_t position;
  if (!args.Int32(0, "fd", &fd) || !args.Int64(1, "position", &position)) return nullptr;
  return FromInt(env, Seek(fd, position));
}

// Names of arguments, for the errors of FdNumberCall. Template arguments must be objects, not literals.
constexpr char kBacklog[] = "backlog";
constexpr char kHow[] = "how";

}  // namespace

void DefineSockets(Napi::Env, Napi::Object exports) {
  Define(exports, {
                      Function("socket", Socket),
                      Function("socketpair", SocketPair),
                      Function("bind", FdAddressCall<Bind>),
                      Function("listen", FdNumberCall<Listen, kBacklog>),
                      Function("connect", FdAddressCall<Connect>),
                      Function("recv", Recv),
                      Function("recvfrom", RecvFrom),
                      Function("send", SendBytes),
                      Function("sendto", SendBytesTo),
                      Function("sendmsg", SendChunks),
                      Function("shutdown", FdNumberCall<Shutdown, kHow>),
                      Function("close", CloseCall),
                      Function("own", Own),
                      Function("disown", Disown),
                      Function("getsockopt", GetSockOpt),
                      Function("setsockopt", SetSockOpt),
                      Function("setNonBlocking", FdFlagCall<SetNonBlocking>),
                      Function("getNonBlocking", FdCall<GetNonBlocking>),
                      Function("setInheritable", FdFlagCall<SetInheritable>),
                      Function("getInheritable", FdCall<GetInheritable>),
                      Function("dup", FdCall<Duplicate>),
                      Function("sendfile", SendFileCall),
                      Function("seek", SeekCall),
                  });
}

}  // namespace fdloop
