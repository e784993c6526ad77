// addon.cc: the module. Makes the state of one environment and registers everything in it; the work is in
// bridge/. Runs once for each environment that loads the addon, so nothing here is shared between them.
// Loading is written with node-addon-api; what is called again and again speaks plain Node-API (bridge/).
#include <napi.h>

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
  return Napi::String::New(env, text);
}

Napi::Object NumbersByName(Napi::Env env, NamedNumberTable table) {
  Napi::Object object = Napi::Object::New(env);
  for (size_t i = 0; i < table.count; ++i) object.Set(table.rows[i].name, table.rows[i].value);
  object.Freeze();
  return object;
}

void DeleteEnvironment(Napi::Env env, Environment* environment) {
  if (environment->selector_class != nullptr) napi_delete_reference(env, environment->selector_class);
  if (environment->host_watch_class != nullptr) napi_delete_reference(env, environment->host_watch_class);
  delete environment;
}

}  // namespace

Napi::Object DefineAll(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment();
  env.SetInstanceData<Environment, DeleteEnvironment>(environment);
  exports.Set("constants", NumbersByName(env, SocketConstants()));
  exports.Set("errnoByName", NumbersByName(env, ErrnoTable()));
  const napi_property_descriptor error_message = Function("errorMessage", ErrorMessage);
  napi_define_properties(env, exports, 1, &error_message);
  // Each of them leaves an exception pending when it fails.
  if (DefineSelectors(env, exports, environment) && DefineHostWatches(env, exports, environment) &&
      DefineSockets(env, exports) && DefineMessages(env, exports) && DefineAddresses(env, exports)) {
    DefineResolver(env, exports);
  }
  return exports;
}

}  // namespace fdloop

// The macro makes a name of this one, which therefore cannot be qualified.
static Napi::Object Init(Napi::Env env, Napi::Object exports) { return fdloop::DefineAll(env, exports); }

NODE_API_MODULE(addon, Init)
