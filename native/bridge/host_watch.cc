// host_watch.cc: the state of a watch and its one call into JavaScript. What wakes the host is in
// nested_engine.cc and thread_engine.cc.
#include "bridge/host_watch.h"

namespace fdloop {

HostWatch::HostWatch(napi_env env, std::shared_ptr<Selector> selector)
    : env_(env), selector_(std::move(selector)) {}

HostWatch::~HostWatch() {
  Close();
  if (object_ != nullptr) napi_delete_reference(env_, object_);
  if (callback_ != nullptr) napi_delete_reference(env_, callback_);
}

void HostWatch::SetEngine(WatchEngine* engine) {
  engine_ = engine;
  if (selector_ != nullptr) selector_->AddObserver(this);
}

Result HostWatch::SetObject(napi_value object, napi_value callback) {
  if (napi_create_reference(env_, object, 0, &object_) != napi_ok ||
      napi_create_reference(env_, callback, 0, &callback_) != napi_ok) {
    return -ENOMEM;
  }
  if (engine_->HasScope()) return 0;
  napi_value name;
  if (napi_create_string_utf8(env_, "fdloop:HostWatch", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_async_init(env_, object, name, &async_context_) != napi_ok) {
    return -ENOMEM;
  }
  return 0;
}

// The object is held while it is armed, so that a callback that is due cannot be collected; it need not be
// held longer, since a disarmed watch that nobody can reach will never be armed again.
void HostWatch::HoldWhileArmed() {
  if (held_ == armed_) return;
  held_ = armed_;
  if (held_) {
    napi_reference_ref(env_, object_, nullptr);
  } else {
    napi_reference_unref(env_, object_, nullptr);
  }
}

Result HostWatch::Arm() {
  if (!IsOpen()) return -EBADF;
  if (armed_) return 0;
  const Result result = engine_->Start(++ticket_);
  armed_ = result >= 0;
  HoldWhileArmed();
  return result;
}

void HostWatch::Disarm() {
  disarmed_ = true;
  if (!armed_) return;
  armed_ = false;
  HoldWhileArmed();
  engine_->Stop();
}

void HostWatch::SetReferenced(bool referenced) {
  if (IsOpen()) engine_->SetReferenced(referenced);
}

void HostWatch::Close() {
  if (!IsOpen()) return;
  Disarm();
  WatchEngine* engine = engine_;
  engine_ = nullptr;
  engine->Release();
  if (selector_ != nullptr) selector_->RemoveObserver(this);
  selector_.reset();
  // A call that is going on still needs its context; it destroys it at its end.
  if (!calling_ && async_context_ != nullptr) {
    napi_async_destroy(env_, async_context_);
    async_context_ = nullptr;
  }
}

void HostWatch::InterestsChanged() {
  if (armed_) engine_->InterestsChanged();
}

// A closed selector never has anything to report again, so neither has its watch.
void HostWatch::SelectorClosing() { Close(); }

void HostWatch::Ready(uint32_t ticket) {
  if (!armed_ || ticket != ticket_) return;
  napi_handle_scope handles;
  if (napi_open_handle_scope(env_, &handles) != napi_ok) return;
  napi_value object = nullptr;
  napi_get_reference_value(env_, object_, &object);
  armed_ = disarmed_ = false;
  calling_ = true;
  const bool again = object != nullptr && Call(object);
  calling_ = false;
  if (IsOpen()) {
    // What ran after the callback, before its scope was closed, may have changed its mind.
    if (again && !disarmed_) Arm();
    if (!armed_) engine_->Stop();
  } else if (async_context_ != nullptr) {
    napi_async_destroy(env_, async_context_);
    async_context_ = nullptr;
  }
  // Only now: one that is busy is armed again by its call, and stays held.
  HoldWhileArmed();
  napi_close_handle_scope(env_, handles);
}

// Gives whether the watch is to be armed again.
//
// Nothing may be thrown across the host's C frames, and a pending exception would surface in whatever
// Node-API call comes next. So it is taken here and becomes an ordinary 'uncaughtException'.
bool HostWatch::Call(napi_value object) {
  napi_value callback, result;
  if (napi_get_reference_value(env_, callback_, &callback) != napi_ok) return false;
  const napi_status status =
      async_context_ != nullptr
          ? napi_make_callback(env_, async_context_, object, callback, 0, nullptr, &result)
          : napi_call_function(env_, object, callback, 0, nullptr, &result);
  bool again = false;
  if (status == napi_ok) return napi_get_value_bool(env_, result, &again) == napi_ok && again;
  bool is_pending = false;
  napi_value exception;
  if (napi_is_exception_pending(env_, &is_pending) != napi_ok || !is_pending) return false;
  if (napi_get_and_clear_last_exception(env_, &exception) != napi_ok) return false;
  napi_fatal_exception(env_, exception);
  return false;
}

}  // namespace fdloop
