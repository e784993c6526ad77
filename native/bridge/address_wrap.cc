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
  napi_value text = nullptr;
  napi_create_string_utf8(env, name, static_cast<size_t>(length), &text);
  return text;
}

// The numbers of a family that has some.
bool SetNumbers(napi_env env, napi_value object, const LinkAddress& link) {
  napi_value numbers, number;
  if (napi_create_array_with_length(env, link.number_count, &numbers) != napi_ok) return false;
  for (size_t i = 0; i < link.number_count; ++i) {
    napi_create_uint32(env, link.numbers[i], &number);
    napi_set_element(env, numbers, static_cast<uint32_t>(i), number);
  }
  return napi_set_named_property(env, object, "numbers", numbers) == napi_ok &&
         napi_set_named_property(env, object, "path", FromBytes(env, link.bytes, link.byte_count)) == napi_ok;
}

napi_value Decode(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  Bytes bytes;
  int64_t length;
  if (!args.Bytes(0, "address", &bytes) || !args.Int64(1, "addressLength", &length)) return nullptr;
  // A length outside the view names no address; what is empty decodes as empty.
  const Address address =
      DecodeAddress(bytes.data, bytes.Contains(0, length) ? static_cast<size_t>(length) : 0);
  napi_value object, host, flow_info, scope_id;
  napi_create_object(env, &object);
  napi_create_string_utf8(env, address.host, NAPI_AUTO_LENGTH, &host);
  napi_create_uint32(env, address.flow_info, &flow_info);
  napi_create_uint32(env, address.scope_id, &scope_id);
  napi_set_named_property(env, object, "family", FromInt(env, address.family));
  napi_set_named_property(env, object, "host", host);
  napi_set_named_property(env, object, "port", FromInt(env, address.port));
  napi_set_named_property(env, object, "flowInfo", flow_info);
  napi_set_named_property(env, object, "scopeId", scope_id);
  napi_set_named_property(env, object, "path", FromBytes(env, address.path, address.path_length));
  if (address.link.number_count > 0 && !SetNumbers(env, object, address.link)) return nullptr;
  return object;
}

}  // namespace

bool DefineAddresses(napi_env env, napi_value exports) {
  const napi_property_descriptor members[] = {
      Value("SOCKADDR_STORAGE_SIZE", FromInt(env, static_cast<int>(kAddressStorageSize))),
      Function("encodeInetAddress", EncodeInet),
      Function("encodeUnixAddress", EncodeUnix),
      Function("encodeLinkAddress", EncodeLink),
      Function("decodeAddress", Decode),
      Function("interfaceIndex", InterfaceIndexCall),
      Function("interfaceName", InterfaceNameCall),
  };
  return napi_define_properties(env, exports, sizeof members / sizeof *members, members) == napi_ok;
}

}  // namespace fdloop
