// hot_calls.cc: the calls that every message makes, in the form that costs least: few arguments, and memory
// as an ArrayBuffer, which is looked up three times as fast as a view of it. The general forms are in
// selector_wrap.cc and socket_wrap.cc, and mean the same.
#include "bridge/arguments.h"
#include "bridge/environment.h"
#include "bridge/wrap.h"
#include "socket/address.h"
#include "socket/socket.h"

namespace fdloop {

namespace {

// wait, of the selector with this number.
napi_value WaitFor(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  int32_t number, max_events;
  int64_t timeout_ns;
  Bytes events;
  if (!args.Int32(0, "selector", &number) || !args.Int64(1, "timeoutNs", &timeout_ns) ||
      !args.Memory(2, "events", &events) || !args.Int32(3, "maxEvents", &max_events)) {
    return nullptr;
  }
  Selector* selector = static_cast<Environment*>(args.data())->selectors->Find(number);
  if (selector == nullptr) return FromInt(env, -EBADF);
  if (!events.Contains(0, static_cast<int64_t>(sizeof(Event)) * max_events)) return FromInt(env, -EINVAL);
  return FromInt(env, selector->Wait(timeout_ns, reinterpret_cast<Event*>(events.data), max_events));
}

// recv without flags, into memory from an offset on.
napi_value RecvAt(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  int32_t fd;
  Bytes memory;
  int64_t offset, length;
  if (!args.Int32(0, "fd", &fd) || !args.Memory(1, "memory", &memory) || !args.Int64(2, "offset", &offset) ||
      !args.Int64(3, "length", &length)) {
    return nullptr;
  }
  if (!memory.Contains(offset, length)) return FromInt(env, -EINVAL);
  return FromInt(env, Receive(fd, memory.data + offset, static_cast<size_t>(length), 0));
}

// Where in its memory a sender's address lies, behind its length.
constexpr size_t kSenderAddress = 8;

// recvfrom without flags, into memory from an offset on.
napi_value RecvFromAt(napi_env env, napi_callback_info info) {
  Arguments<5> args(env, info);
  int32_t fd;
  Bytes memory, sender;
  int64_t offset, length;
  if (!args.Int32(0, "fd", &fd) || !args.Memory(1, "memory", &memory) || !args.Int64(2, "offset", &offset) ||
      !args.Int64(3, "length", &length) || !args.Memory(4, "sender", &sender)) {
    return nullptr;
  }
  if (!memory.Contains(offset, length) || sender.length < kSenderAddress + kAddressStorageSize) {
    return FromInt(env, -EINVAL);
  }
  size_t address_length = kAddressStorageSize;
  const Result result = ReceiveFrom(fd, memory.data + offset, static_cast<size_t>(length), 0,
                                    sender.data + kSenderAddress, &address_length);
  if (result >= 0) *reinterpret_cast<int32_t*>(sender.data) = static_cast<int32_t>(address_length);
  return FromInt(env, result);
}

// sendto of a whole view, without flags.
napi_value SendToFrom(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  int32_t fd;
  Bytes buffer, address;
  int64_t address_length;
  if (!args.Int32(0, "fd", &fd) || !args.Bytes(1, "buffer", &buffer) ||
      !args.Memory(2, "address", &address) || !args.Int64(3, "addressLength", &address_length)) {
    return nullptr;
  }
  if (!address.Contains(0, address_length)) return FromInt(env, -EINVAL);
  return FromInt(
      env, SendTo(fd, buffer.data, buffer.length, 0, address.data, static_cast<size_t>(address_length)));
}

// recv and send of a whole view, without flags.
napi_value RecvInto(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t fd;
  Bytes buffer;
  if (!args.Int32(0, "fd", &fd) || !args.Bytes(1, "buffer", &buffer)) return nullptr;
  return FromInt(env, Receive(fd, buffer.data, buffer.length, 0));
}

napi_value SendFrom(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t fd;
  Bytes buffer;
  if (!args.Int32(0, "fd", &fd) || !args.Bytes(1, "buffer", &buffer)) return nullptr;
  return FromInt(env, Send(fd, buffer.data, buffer.length, 0));
}

}  // namespace

void DefineHotCalls(Napi::Object exports, Environment* environment) {
  Define(exports, {Function("waitFor", WaitFor, environment), Function("recvAt", RecvAt),
                   Function("recvfromAt", RecvFromAt), Function("sendtoFrom", SendToFrom),
                   Function("recvInto", RecvInto), Function("sendFrom", SendFrom)});
}

}  // namespace fdloop
