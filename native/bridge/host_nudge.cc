// host_nudge.cc: the threadsafe function that does nothing.
#include "bridge/host_nudge.h"

namespace fdloop {

bool HostNudge::Open(napi_env env) {
  if (function_ != nullptr) return true;
  napi_value name;
  if (napi_create_string_utf8(env, "fdloop:HostNudge", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, OnCall,
                                      &function_) != napi_ok) {
    function_ = nullptr;
    return false;
  }
  env_ = env;
  napi_unref_threadsafe_function(env, function_);
  // After the function's own hook, so before it when the environment ends.
  napi_add_env_cleanup_hook(env, OnCleanup, this);
  return true;
}

void HostNudge::Nudge() {
  if (function_ == nullptr || is_on_its_way_) return;
  is_on_its_way_ = napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking) == napi_ok;
}

void HostNudge::Close() {
  if (function_ == nullptr) return;
  napi_remove_env_cleanup_hook(env_, OnCleanup, this);
  napi_release_threadsafe_function(function_, napi_tsfn_abort);
  function_ = nullptr;
}

// Without an environment the call is thrown away, and the nudge may be gone.
void HostNudge::OnCall(napi_env env, napi_value, void* nudge, void*) {
  if (env != nullptr) static_cast<HostNudge*>(nudge)->is_on_its_way_ = false;
}

void HostNudge::OnCleanup(void* nudge) { static_cast<HostNudge*>(nudge)->Close(); }

}  // namespace fdloop
