// message_wrap.cc: messages with control data as JavaScript functions, one at a time and in batches. Checks
// that everything lies inside its buffer, and hands on to message.h. No state and no objects.
#include "bridge/arguments.h"
#include "bridge/chunks.h"
#include "bridge/environment.h"
#include "bridge/wrap.h"
#include "socket/address.h"
#include "socket/message.h"

namespace fdloop {

namespace {

// recvMessage(fd, chunks, count, flags, control, address, lengths)
napi_value RecvMessage(napi_env env, napi_callback_info info) {
  Arguments<7> args(env, info);
  int32_t fd, count, flags;
  Chunk chunks[kMaxChunks];
  size_t used = 0;
  Bytes control, address;
  Int32s lengths;
  if (!args.Int32(0, "fd", &fd) || !args.Int32(2, "count", &count) || !args.Int32(3, "flags", &flags) ||
      !ReadChunks(env, args[1], count < 0 ? 0 : static_cast<size_t>(count), chunks, &used) ||
      !args.Bytes(4, "control", &control) || !args.Bytes(5, "address", &address) ||
      !args.Int32s(6, "lengths", &lengths)) {
    return nullptr;
  }
  if (count < 0 || lengths.length < 3) return FromInt(env, -EINVAL);
  Incoming message = {chunks, used, address.data, address.length, control.data, control.length, 0, 0};
  const Result result = ReceiveMessage(fd, &message, flags);
  if (result >= 0) {
    lengths.data[0] = static_cast<int32_t>(message.address_length);
    lengths.data[1] = static_cast<int32_t>(message.control_length);
    lengths.data[2] = message.flags;
  }
  return FromInt(env, result);
}

// sendMessage(fd, chunks, count, flags, control, controlLength, address, addressLength)
napi_value SendMessageCall(napi_env env, napi_callback_info info) {
  Arguments<8> args(env, info);
  int32_t fd, count, flags;
  int64_t control_length, address_length;
  Chunk chunks[kMaxChunks];
  size_t used = 0;
  Bytes control, address;
  if (!args.Int32(0, "fd", &fd) || !args.Int32(2, "count", &count) || !args.Int32(3, "flags", &flags) ||
      !ReadChunks(env, args[1], count < 0 ? 0 : static_cast<size_t>(count), chunks, &used) ||
      !args.Bytes(4, "control", &control) || !args.Int64(5, "controlLength", &control_length) ||
      !args.Bytes(6, "address", &address) || !args.Int64(7, "addressLength", &address_length)) {
    return nullptr;
  }
  if (count < 0 || !control.Contains(0, control_length) || !address.Contains(0, address_length)) {
    return FromInt(env, -EINVAL);
  }
  const Outgoing message = {chunks,       used,
                            address.data, static_cast<size_t>(address_length),
                            control.data, static_cast<size_t>(control_length)};
  return FromInt(env,
                 static_cast<size_t>(count) > kMaxChunks ? -EMSGSIZE : SendFullMessage(fd, message, flags));
}

// What recvMessages answers for each message: bytes, flags, address length, control length.
constexpr size_t kResultWords = 4;

// recvMessages(fd, buffer, messageSize, count, flags, control, controlSize, addresses, results)
napi_value RecvMessages(napi_env env, napi_callback_info info) {
  Arguments<9> args(env, info);
  int32_t fd, count, flags;
  int64_t message_size, control_size;
  Bytes buffer, control, addresses;
  Int32s results;
  if (!args.Int32(0, "fd", &fd) || !args.Bytes(1, "buffer", &buffer) ||
      !args.Int64(2, "messageSize", &message_size) || !args.Int32(3, "count", &count) ||
      !args.Int32(4, "flags", &flags) || !args.Bytes(5, "control", &control) ||
      !args.Int64(6, "controlSize", &control_size) || !args.Bytes(7, "addresses", &addresses) ||
      !args.Int32s(8, "results", &results)) {
    return nullptr;
  }
  if (count < 0 || message_size < 0 || control_size < 0) return FromInt(env, -EINVAL);
  const size_t wanted = static_cast<size_t>(count) < kMaxMessages ? static_cast<size_t>(count) : kMaxMessages;
  const auto times = static_cast<int64_t>(wanted);
  // No product overflows: the sizes are compared with the buffers' first.
  if (message_size > static_cast<int64_t>(buffer.length) ||
      control_size > static_cast<int64_t>(control.length) || !buffer.Contains(0, message_size * times) ||
      !control.Contains(0, control_size * times) || addresses.length < wanted * kAddressStorageSize ||
      results.length < wanted * kResultWords) {
    return FromInt(env, -EINVAL);
  }
  Chunk chunks[kMaxMessages];
  Incoming messages[kMaxMessages];
  const auto size = static_cast<size_t>(message_size);
  const auto room = static_cast<size_t>(control_size);
  for (size_t i = 0; i < wanted; ++i) {
    chunks[i] = {size == 0 ? nullptr : buffer.data + i * size, size};
    messages[i] = {&chunks[i],
                   1,
                   addresses.data + i * kAddressStorageSize,
                   kAddressStorageSize,
                   room == 0 ? nullptr : control.data + i * room,
                   room,
                   0,
                   0};
  }
  const Result received = ReceiveMessages(fd, messages, wanted, flags);
  for (Result i = 0; i < received; ++i) {
    int32_t* words = results.data + static_cast<size_t>(i) * kResultWords;
    words[0] = static_cast<int32_t>(messages[i].byte_length);
    words[1] = messages[i].flags;
    words[2] = static_cast<int32_t>(messages[i].address_length);
    words[3] = static_cast<int32_t>(messages[i].control_length);
  }
  return FromInt(env, received);
}

// What sendMessages is told of each message: chunks, control length, address length.
constexpr size_t kLayoutWords = 3;

// Moves a view's beginning behind the next `length` elements. False if there are not so many.
bool Take(Bytes* view, int32_t length, const uint8_t** taken) {
  if (!view->Contains(0, length)) return false;
  *taken = view->data;
  if (length > 0) view->data += length;
  view->length -= static_cast<size_t>(length);
  return true;
}

// sendMessages(fd, chunks, count, flags, layout, control, addresses)
napi_value SendMessagesCall(napi_env env, napi_callback_info info) {
  Arguments<7> args(env, info);
  int32_t fd, count, flags;
  Chunk chunks[kMaxChunks];
  size_t used = 0;
  uint32_t chunk_count = 0;
  Bytes control, addresses;
  Int32s layout;
  if (!args.Int32(0, "fd", &fd) || !args.Int32(2, "count", &count) || !args.Int32(3, "flags", &flags)) {
    return nullptr;
  }
  napi_get_array_length(env, args[1], &chunk_count);
  if (!ReadChunks(env, args[1], chunk_count, chunks, &used) || !args.Int32s(4, "layout", &layout) ||
      !args.Bytes(5, "control", &control) || !args.Bytes(6, "addresses", &addresses)) {
    return nullptr;
  }
  if (count < 0) return FromInt(env, -EINVAL);
  const size_t wanted = static_cast<size_t>(count) < kMaxMessages ? static_cast<size_t>(count) : kMaxMessages;
  if (layout.length < wanted * kLayoutWords) return FromInt(env, -EINVAL);
  Outgoing messages[kMaxMessages];
  size_t begun = 0;
  size_t filled = 0;
  for (; filled < wanted; ++filled) {
    const int32_t* words = layout.data + filled * kLayoutWords;
    Outgoing* message = &messages[filled];
    if (words[0] < 0) return FromInt(env, -EINVAL);
    // What lies beyond the chunks of one call is left to the next one.
    if (static_cast<size_t>(words[0]) > used - begun) break;
    *message = {chunks + begun, static_cast<size_t>(words[0]), nullptr, 0, nullptr, 0};
    begun += message->count;
    if (!Take(&control, words[1], &message->control) || !Take(&addresses, words[2], &message->address)) {
      return FromInt(env, -EINVAL);
    }
    message->control_length = static_cast<size_t>(words[1]);
    message->address_length = static_cast<size_t>(words[2]);
  }
  if (filled == 0 && wanted > 0) return FromInt(env, used == kMaxChunks ? -EMSGSIZE : -EINVAL);
  return FromInt(env, SendMessages(fd, messages, filled, flags));
}

template <Result (*kCall)(size_t)>
napi_value SizeCall(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  int64_t length;
  if (!args.Int64(0, "byteLength", &length)) return nullptr;
  return FromInt(env, length < 0 ? -EINVAL : kCall(static_cast<size_t>(length)));
}

// nextControl(control, length, offset, entry)
napi_value NextControlCall(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  Bytes control;
  int64_t length, offset;
  Int32s entry;
  if (!args.Bytes(0, "control", &control) || !args.Int64(1, "length", &length) ||
      !args.Int64(2, "offset", &offset) || !args.Int32s(3, "entry", &entry)) {
    return nullptr;
  }
  if (!control.Contains(0, length) || offset < 0 || entry.length < 4) return FromInt(env, -EINVAL);
  ControlEntry found = {};
  const Result next =
      NextControl(control.data, static_cast<size_t>(length), static_cast<size_t>(offset), &found);
  if (next > 0) {
    entry.data[0] = found.level;
    entry.data[1] = found.type;
    entry.data[2] = static_cast<int32_t>(found.offset);
    entry.data[3] = static_cast<int32_t>(found.length);
  }
  return FromInt(env, next);
}

// appendControl(control, offset, level, type, bytes)
napi_value AppendControlCall(napi_env env, napi_callback_info info) {
  Arguments<5> args(env, info);
  Bytes control, bytes;
  int64_t offset;
  int32_t level, type;
  if (!args.Bytes(0, "control", &control) || !args.Int64(1, "offset", &offset) ||
      !args.Int32(2, "level", &level) || !args.Int32(3, "type", &type) || !args.Bytes(4, "bytes", &bytes)) {
    return nullptr;
  }
  if (offset < 0) return FromInt(env, -EINVAL);
  return FromInt(env, AppendControl(control.data, control.length, static_cast<size_t>(offset), level, type,
                                    bytes.data, bytes.length));
}

}  // namespace

void DefineMessages(Napi::Env, Napi::Object exports) {
  Define(exports, {
                      Function("recvMessage", RecvMessage),
                      Function("sendMessage", SendMessageCall),
                      Function("recvMessages", RecvMessages),
                      Function("sendMessages", SendMessagesCall),
                      Function("controlLength", SizeCall<ControlLength>),
                      Function("controlSpace", SizeCall<ControlSpace>),
                      Function("nextControl", NextControlCall),
                      Function("appendControl", AppendControlCall),
                  });
}

}  // namespace fdloop
