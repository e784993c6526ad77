// addon.cc: the module. Makes the state of one environment and registers everything in it; the work is in
// bridge/. Runs once for each environment that loads the addon, so nothing here is shared between them.
//
// The bridge is written with node-addon-api where objects are made and kept, and speaks plain Node-API where
// a call reads its arguments (arguments.h) or makes a callback (host_watch.cc): that is the hot path, and the
// wrappers' own errors are of no use there.
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

void DefineTables(Napi::Env env, Napi::Object exports) {
  exports.Set("constants", NumbersByName(env, SocketConstants()));
  exports.Set("errnoByName", NumbersByName(env, ErrnoTable()));
  Define(exports, {Function("errorMessage", ErrorMessage)});
}

}  // namespace

Napi::Object DefineAll(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment();
  env.SetInstanceData(environment);
  DefineTables(env, exports);
  DefineSelectors(env, exports, environment);
  DefineHostWatches(env, exports, environment);
  DefineSockets(env, exports);
  DefineHotCalls(exports, environment);
  DefineFiles(exports);
  DefineMessages(env, exports);
  DefineAddresses(env, exports);
  DefineResolver(env, exports);
  DefineProcesses(env, exports);
  DefineSignals(env, exports);
  return exports;
}

}  // namespace fdloop

// The macro makes a name of this one, which therefore cannot be qualified.
static Napi::Object Init(Napi::Env env, Napi::Object exports) { return fdloop::DefineAll(env, exports); }

NODE_API_MODULE(addon, Init)
