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
  return object;
}

}  // namespace

bool DefineAddresses(napi_env env, napi_value exports) {
  const napi_property_descriptor members[] = {
      Value("SOCKADDR_STORAGE_SIZE", FromInt(env, static_cast<int>(kAddressStorageSize))),
      Function("encodeInetAddress", EncodeInet),
      Function("encodeUnixAddress", EncodeUnix),
      Function("decodeAddress", Decode),
  };
  return napi_define_properties(env, exports, sizeof members / sizeof *members, members) == napi_ok;
}

}  // namespace fdloop
