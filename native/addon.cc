// addon.cc: the module. Makes the state of one environment and registers everything in it; the work is in
// bridge/. Runs once for each environment that loads the addon, so nothing here is shared between them.
#include <node_api.h>

#include "base/errno_table.h"
#include "bridge/arguments.h"
#include "bridge/environment.h"
#include "bridge/wrap.h"
#include "socket/socket.h"

namespace fdloop {

namespace {

napi_value ErrorMessage(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  int32_t number;
  if (!args.Int32(0, "errno", &number)) return nullptr;
  char text[256];
  ErrnoMessage(number, text, sizeof text);
  napi_value message = nullptr;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message);
  return message;
}

napi_value NumbersByName(napi_env env, NamedNumberTable table) {
  napi_value object = nullptr;
  napi_create_object(env, &object);
  for (size_t i = 0; i < table.count; ++i) {
    napi_value number;
    napi_create_double(env, table.rows[i].value, &number);
    napi_set_named_property(env, object, table.rows[i].name, number);
  }
  napi_object_freeze(env, object);
  return object;
}

bool DefineTables(napi_env env, napi_value exports) {
  const napi_property_descriptor members[] = {
      Value("constants", NumbersByName(env, SocketConstants())),
      Value("errnoByName", NumbersByName(env, ErrnoTable())),
      Function("errorMessage", ErrorMessage),
  };
  return napi_define_properties(env, exports, sizeof members / sizeof *members, members) == napi_ok;
}

void DeleteEnvironment(napi_env env, void* data, void*) {
  auto* environment = static_cast<Environment*>(data);
  if (environment->selector_class != nullptr) napi_delete_reference(env, environment->selector_class);
  if (environment->host_watch_class != nullptr) napi_delete_reference(env, environment->host_watch_class);
  delete environment;
}

}  // namespace

}  // namespace fdloop

NAPI_MODULE_INIT() {
  auto* environment = new fdloop::Environment();
  if (napi_set_instance_data(env, environment, fdloop::DeleteEnvironment, nullptr) != napi_ok) {
    delete environment;
    return nullptr;
  }
  const bool done = fdloop::DefineTables(env, exports) &&
                    fdloop::DefineSelectors(env, exports, environment) &&
                    fdloop::DefineHostWatches(env, exports, environment) &&
                    fdloop::DefineSockets(env, exports) && fdloop::DefineMessages(env, exports) &&
                    fdloop::DefineAddresses(env, exports) && fdloop::DefineResolver(env, exports);
  return done ? exports : nullptr;
}
