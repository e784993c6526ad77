// owned_wake_ends.h: the wake ends that an environment has to close when it ends without having done so, as a
// worker that is terminated does. Not by their numbers, as other descriptors: another thread may be about to
// use one, and is kept from it by the two words that guard the end. These are JavaScript's memory, so each is
// looked up again by its array, which is kept until then.
#ifndef FDLOOP_BRIDGE_OWNED_WAKE_ENDS_H_
#define FDLOOP_BRIDGE_OWNED_WAKE_ENDS_H_

#include <node_api.h>

#include <unordered_map>

#include "base/unique_fd.h"
#include "bridge/arguments.h"
#include "socket/socket.h"
#include "socket/wake_end.h"

namespace fdloop {

class OwnedWakeEnds {
 public:
  OwnedWakeEnds() = default;
  OwnedWakeEnds(const OwnedWakeEnds&) = delete;
  OwnedWakeEnds& operator=(const OwnedWakeEnds&) = delete;

  ~OwnedWakeEnds() {
    if (env_ != nullptr) napi_remove_env_cleanup_hook(env_, CloseAll, this);
  }

  // A duplicate of `fd`, guarded by the words of `array`.
  Result Open(napi_env env, int fd, napi_value array) {
    const Result copy = Duplicate(fd);
    if (copy < 0) return copy;
    UniqueFd end(copy);
    if (env_ == nullptr && napi_add_env_cleanup_hook(env, CloseAll, this) != napi_ok) return -ENOMEM;
    env_ = env;
    napi_ref reference = nullptr;
    if (napi_create_reference(env, array, 1, &reference) != napi_ok) return -ENOMEM;
    // One whose number is free again was closed by other means.
    Forget(copy);
    arrays_.emplace(copy, reference);
    return end.Release();
  }

  // It is closed by somebody else.
  void Forget(int fd) {
    const auto found = arrays_.find(fd);
    if (found == arrays_.end()) return;
    napi_delete_reference(env_, found->second);
    arrays_.erase(found);
  }

 private:
  static void CloseAll(void* data) {
    auto* ends = static_cast<OwnedWakeEnds*>(data);
    const napi_env env = ends->env_;
    ends->env_ = nullptr;
    napi_handle_scope handles;
    if (napi_open_handle_scope(env, &handles) != napi_ok) return;
    for (const auto& end : ends->arrays_) {
      napi_value array = nullptr;
      Int32s state;
      if (napi_get_reference_value(env, end.second, &array) == napi_ok && array != nullptr &&
          ReadView(env, array, napi_int32_array, &state) && state.length >= kWakeStateLength) {
        CloseWakeEnd(end.first, state.data);
      }
      napi_delete_reference(env, end.second);
    }
    ends->arrays_.clear();
    napi_close_handle_scope(env, handles);
  }

  napi_env env_ = nullptr;  // While there is a hook.
  std::unordered_map<int, napi_ref> arrays_;
};

}  // namespace fdloop

#endif  // FDLOOP_BRIDGE_OWNED_WAKE_ENDS_H_
