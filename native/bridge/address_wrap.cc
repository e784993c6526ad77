// address_wrap.cc: the address codec as JavaScript functions.
#include <string>

#include "bridge/arguments.h"
#include "bridge/environment.h"
#include "bridge/wrap.h"
#include "socket/address.h"

namespace fdloop {

namespace {

napi_value EncodeInet(napi_env env, napi_callback_info info) {
  Arguments<6> args(env, info);
  int32_t family, port;
  std::string host;
  uint32_t flow_info, scope_id;
  Bytes address;
  if (!args.Int32(0, "family", &family) || !args.String(1, "host", &host) || !args.Int32(2, "port", &port) ||
      !args.Uint32(3, "flowInfo", &flow_info) || !args.Uint32(4, "scopeId", &scope_id) ||
      !args.Bytes(5, "address", &address)) {
    return nullptr;
  }
  // A NUL would hide what comes after it from the parser.
  if (host.find('\0') != std::string::npos) return FromInt(env, -EINVAL);
  return FromInt(
      env, EncodeInetAddress(family, host.c_str(), port, flow_info, scope_id, address.data, address.length));
}

napi_value EncodeUnix(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  Bytes path, address;
  if (!args.Bytes(0, "path", &path) || !args.Bytes(1, "address", &address)) return nullptr;
  return FromInt(env, EncodeUnixAddress(path.data, path.length, address.data, address.length));
}

// encodeLinkAddress(family, numbers, bytes, address)
napi_value EncodeLink(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  int32_t family;
  Int32s numbers;
  Bytes bytes, address;
  if (!args.Int32(0, "family", &family) || !args.Int32s(1, "numbers", &numbers) ||
      !args.Bytes(2, "bytes", &bytes) || !args.Bytes(3, "address", &address)) {
    return nullptr;
  }
  if (numbers.length > kMaxLinkNumbers) return FromInt(env, -EINVAL);
  LinkAddress link;
  for (size_t i = 0; i < numbers.length; ++i) link.numbers[i] = static_cast<uint32_t>(numbers.data[i]);
  link.number_count = numbers.length;
  link.bytes = bytes.data;
  link.byte_count = bytes.length;
  return FromInt(env, EncodeLinkAddress(family, link, address.data, address.length));
}

napi_value InterfaceIndexCall(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  std::string name;
  if (!args.String(0, "name", &name)) return nullptr;
  // A NUL would hide what comes after it.
  return FromInt(env, name.find('\0') != std::string::npos ? -ENODEV : InterfaceIndex(name.c_str()));
}

napi_value InterfaceNameCall(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  uint32_t index;
  if (!args.Uint32(0, "index", &index)) return nullptr;
  char name[kInterfaceNameSize] = "";
  const Result length = InterfaceName(index, name);
  if (length < 0) return FromInt(env, length);
  return Napi::String::New(env, name, static_cast<size_t>(length));
}

// The numbers of a family that has some.
Napi::Array Numbers(Napi::Env env, const LinkAddress& link) {
  Napi::Array numbers = Napi::Array::New(env, link.number_count);
  for (size_t i = 0; i < link.number_count; ++i) numbers.Set(static_cast<uint32_t>(i), link.numbers[i]);
  return numbers;
}

napi_value Decode(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  Bytes bytes;
  int64_t length;
  if (!args.Bytes(0, "address", &bytes) || !args.Int64(1, "addressLength", &length)) return nullptr;
  // A length outside the view names no address; what is empty decodes as empty.
  const Address address =
      DecodeAddress(bytes.data, bytes.Contains(0, length) ? static_cast<size_t>(length) : 0);
  Napi::Object object = Napi::Object::New(env);
  object.Set("family", address.family);
  object.Set("host", Napi::String::New(env, address.host));
  object.Set("port", address.port);
  object.Set("flowInfo", address.flow_info);
  object.Set("scopeId", address.scope_id);
  object.Set("path", FromBytes(env, address.path, address.path_length));
  if (address.link.number_count > 0) {
    object.Set("numbers", Numbers(env, address.link));
    object.Set("path", FromBytes(env, address.link.bytes, address.link.byte_count));
  }
  return object;
}

}  // namespace

void DefineAddresses(Napi::Env env, Napi::Object exports) {
  Define(exports, {
                      Value("SOCKADDR_STORAGE_SIZE", FromInt(env, static_cast<int>(kAddressStorageSize))),
                      Function("encodeInetAddress", EncodeInet),
                      Function("encodeUnixAddress", EncodeUnix),
                      Function("encodeLinkAddress", EncodeLink),
                      Function("decodeAddress", Decode),
                      Function("interfaceIndex", InterfaceIndexCall),
                      Function("interfaceName", InterfaceNameCall),
                  });
}

}  // namespace fdloop
