// hot_calls.cc: the calls that every message and every connection makes, in the form that costs least: few
// arguments, a selector as its number, and memory as an ArrayBuffer, which is looked up three times as fast
// as a view of it. Where there is a general form too, it is in socket_wrap.cc, and means the same.
#include "bridge/arguments.h"
#include "bridge/environment.h"
#include "bridge/wrap.h"
#include "socket/address.h"
#include "socket/file.h"
#include "socket/socket.h"

namespace fdloop {

namespace {

// wait, add, modify and remove, of the selector with this number.

Selector* SelectorWith(void* environment, int32_t number) {
  return static_cast<Environment*>(environment)->selectors->Find(number);
}

napi_value WaitFor(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  int32_t number, max_events;
  int64_t timeout_ns;
  Bytes events;
  if (!args.Int32(0, "selector", &number) || !args.Int64(1, "timeoutNs", &timeout_ns) ||
      !args.Memory(2, "events", &events) || !args.Int32(3, "maxEvents", &max_events)) {
    return nullptr;
  }
  Selector* selector = SelectorWith(args.data(), number);
  if (selector == nullptr) return FromInt(env, -EBADF);
  if (!events.Contains(0, static_cast<int64_t>(sizeof(Event)) * max_events)) return FromInt(env, -EINVAL);
  return FromInt(env, selector->Wait(timeout_ns, reinterpret_cast<Event*>(events.data), max_events));
}

template <Result (Selector::*kCall)(int, int)>
napi_value InterestCall(napi_env env, napi_callback_info info) {
  Arguments<3> args(env, info);
  int32_t number, fd, mask;
  if (!args.Int32(0, "selector", &number) || !args.Int32(1, "fd", &fd) || !args.Int32(2, "mask", &mask)) {
    return nullptr;
  }
  Selector* selector = SelectorWith(args.data(), number);
  return FromInt(env, selector == nullptr ? -EBADF : (selector->*kCall)(fd, mask));
}

napi_value RemoveFrom(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t number, fd;
  if (!args.Int32(0, "selector", &number) || !args.Int32(1, "fd", &fd)) return nullptr;
  Selector* selector = SelectorWith(args.data(), number);
  return FromInt(env, selector == nullptr ? -EBADF : selector->Remove(fd));
}

// Room for an address: its length in front, then the sockaddr.
constexpr size_t kSockAddr = 8;

// `call` gets the room and leaves what it wrote.
template <typename Call>
napi_value WithAddress(napi_env env, const Bytes& room, Call call) {
  if (room.length < kSockAddr + kAddressStorageSize) return FromInt(env, -EINVAL);
  size_t length = kAddressStorageSize;
  const Result result = call(room.data + kSockAddr, &length);
  if (result >= 0) *reinterpret_cast<int32_t*>(room.data) = static_cast<int32_t>(length);
  return FromInt(env, result);
}

// accept, getsockname and getpeername.
template <Result (*kCall)(int, uint8_t*, size_t*)>
napi_value NameCall(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t fd;
  Bytes room;
  if (!args.Int32(0, "fd", &fd) || !args.Memory(1, "address", &room)) return nullptr;
  return WithAddress(env, room, [&](uint8_t* data, size_t* length) { return kCall(fd, data, length); });
}

Result ReceivePlain(int fd, uint8_t* data, size_t length) { return Receive(fd, data, length, 0); }
Result SendPlain(int fd, const uint8_t* data, size_t length) { return Send(fd, data, length, 0); }

// recv without flags, and read, into memory from an offset on.
template <Result (*kCall)(int, uint8_t*, size_t)>
napi_value IntoMemory(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  int32_t fd;
  Bytes memory;
  int64_t offset, length;
  if (!args.Int32(0, "fd", &fd) || !args.Memory(1, "memory", &memory) || !args.Int64(2, "offset", &offset) ||
      !args.Int64(3, "length", &length)) {
    return nullptr;
  }
  if (!memory.Contains(offset, length)) return FromInt(env, -EINVAL);
  return FromInt(env, kCall(fd, memory.data + offset, static_cast<size_t>(length)));
}

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
  if (!memory.Contains(offset, length)) return FromInt(env, -EINVAL);
  return WithAddress(env, sender, [&](uint8_t* data, size_t* address_length) {
    return ReceiveFrom(fd, memory.data + offset, static_cast<size_t>(length), 0, data, address_length);
  });
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

// recv and send without flags, and write, of a whole view.
template <auto kCall>
napi_value OfView(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t fd;
  Bytes buffer;
  if (!args.Int32(0, "fd", &fd) || !args.Bytes(1, "buffer", &buffer)) return nullptr;
  return FromInt(env, kCall(fd, buffer.data, buffer.length));
}

// Gives the memory of an ArrayBuffer back at once: a collection would come later.
napi_value Detach(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  Bytes memory;
  if (!args.Memory(0, "memory", &memory)) return nullptr;
  return FromInt(env, napi_detach_arraybuffer(env, args[0]) == napi_ok ? 0 : -EINVAL);
}

// setsockopt of a number.
napi_value SetNumber(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  int32_t fd, level, option, value;
  if (!args.Int32(0, "fd", &fd) || !args.Int32(1, "level", &level) || !args.Int32(2, "option", &option) ||
      !args.Int32(3, "value", &value)) {
    return nullptr;
  }
  return FromInt(env, SetOption(fd, level, option, reinterpret_cast<const uint8_t*>(&value), sizeof value));
}

}  // namespace

void DefineHotCalls(Napi::Object exports, Environment* environment) {
  Define(exports, {Function("waitFor", WaitFor, environment),
                   Function("addTo", InterestCall<&Selector::Add>, environment),
                   Function("modifyIn", InterestCall<&Selector::Modify>, environment),
                   Function("removeFrom", RemoveFrom, environment), Function("acceptAt", NameCall<Accept>),
                   Function("getsocknameAt", NameCall<GetSocketName>),
                   Function("getpeernameAt", NameCall<GetPeerName>), Function("setNumber", SetNumber),
                   Function("recvAt", IntoMemory<ReceivePlain>), Function("readAt", IntoMemory<Read>),
                   Function("recvfromAt", RecvFromAt), Function("sendtoFrom", SendToFrom),
                   Function("recvInto", OfView<ReceivePlain>), Function("sendFrom", OfView<SendPlain>),
                   Function("writeFrom", OfView<Write>), Function("detach", Detach)});
}

}  // namespace fdloop
