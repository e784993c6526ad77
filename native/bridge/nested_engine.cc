// nested_engine.cc: the selector's own descriptor inside libuv's loop, as one uv_poll_t.
//
// The handle watches a duplicate of the descriptor. libuv allows one handle for a number, and mistakes a new
// file for the old one when a number is closed and used again under it; with a number that nobody else
// knows, several watches on one selector work, and nobody can close it behind libuv's back.
//
// A watch is one-shot, libuv's handle is not: it is stopped after the callback, and only if the callback has
// not armed the watch again. In a busy loop the handle therefore just stays started, without a system call.
//
// An environment that ends waits for the close callback of this handle, because of the asynchronous cleanup
// hook. Without it a worker's end unloads the addon while libuv still holds a pointer to its code.
#include <stdlib.h>

#include "bridge/host_nudge.h"
#include "bridge/host_watch.h"
#include "bridge/uv.h"
#include "selector/nesting.h"
#include "socket/socket.h"

namespace fdloop {

namespace {

class NestedEngine final : public WatchEngine {
 public:
  NestedEngine(HostWatch* watch, UniqueFd fd, HostNudge* nudge)
      : watch_(watch),
        nudge_(nudge),
        fd_(std::move(fd)),
        handle_(static_cast<uv_poll_t*>(calloc(1, uv_handle_size(kUvPoll)))) {}

  Result Open(uv_loop_s* loop);
  // For an engine whose Open failed.
  static void Discard(NestedEngine* engine) { delete engine; }

  bool HasScope() const override { return false; }
  Result Start(uint32_t ticket) override;
  void Stop() override;
  void SetReferenced(bool referenced) override;
  void Release() override;

 private:
  ~NestedEngine() override { free(handle_); }

  static void OnPoll(uv_poll_t* handle, int status, int events);
  static void OnClosed(uv_handle_t* handle);
  static void OnCleanup(napi_async_cleanup_hook_handle hook, void* engine);

  static NestedEngine* From(const uv_handle_t* handle) {
    return static_cast<NestedEngine*>(uv_handle_get_data(handle));
  }
  uv_handle_t* BaseHandle() const { return reinterpret_cast<uv_handle_t*>(handle_); }

  HostWatch* watch_;  // Null once released.
  HostNudge* nudge_;
  UniqueFd fd_;
  UniqueFd anchor_;
  uv_poll_t* handle_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool started_ = false;
  bool in_callback_ = false;
  uint32_t ticket_ = 0;
};

Result NestedEngine::Open(uv_loop_s* loop) {
  if (handle_ == nullptr) return -ENOMEM;
  const Result anchored = AnchorNesting(fd_.get(), &anchor_);
  if (anchored < 0) return anchored;
  // libuv makes what it watches non-blocking. It does not rely on that for a poll handle, and the flag is
  // shared with the descriptor that this is a duplicate of, so it is put back.
  const Result was_non_blocking = GetNonBlocking(fd_.get());
  const Result result = InitPoll(loop, handle_, fd_.get());
  if (result < 0) return result;
  if (was_non_blocking == 0) SetNonBlocking(fd_.get(), false);
  uv_handle_set_data(BaseHandle(), this);
  // From here on only the close callback may delete the engine; without a hook there would be nobody to wait
  // for it, but a failure to register one means that the environment is ending anyway.
  napi_add_async_cleanup_hook(watch_->env(), OnCleanup, this, &hook_);
  return 0;
}

Result NestedEngine::Start(uint32_t ticket) {
  ticket_ = ticket;
  if (started_) return 0;
  const Result result = uv_poll_start(handle_, kUvReadable, OnPoll);
  started_ = result >= 0;
  if (started_) nudge_->Nudge();
  return result;
}

void NestedEngine::Stop() {
  if (!started_ || in_callback_) return;
  started_ = false;
  uv_poll_stop(handle_);
}

void NestedEngine::SetReferenced(bool referenced) {
  if (referenced) {
    uv_ref(BaseHandle());
  } else {
    uv_unref(BaseHandle());
  }
}

void NestedEngine::Release() {
  watch_ = nullptr;
  started_ = false;
  uv_close(BaseHandle(), OnClosed);
  anchor_.Reset();
  fd_.Reset();
}

// An error of the poll (status < 0) counts as readiness: whoever drains the selector will meet it.
void NestedEngine::OnPoll(uv_poll_t* handle, int, int) {
  NestedEngine* engine = From(reinterpret_cast<uv_handle_t*>(handle));
  HostWatch* watch = engine->watch_;
  if (watch == nullptr) return;
  engine->in_callback_ = true;
  watch->Ready(engine->ticket_);
  engine->in_callback_ = false;
  if (engine->watch_ != nullptr && !engine->watch_->IsArmed()) engine->Stop();
}

void NestedEngine::OnClosed(uv_handle_t* handle) {
  NestedEngine* engine = From(handle);
  const napi_async_cleanup_hook_handle hook = engine->hook_;
  delete engine;
  // Last of all: the addon may be unloaded from here on.
  if (hook != nullptr) napi_remove_async_cleanup_hook(hook);
}

void NestedEngine::OnCleanup(napi_async_cleanup_hook_handle hook, void* data) {
  auto* engine = static_cast<NestedEngine*>(data);
  engine->hook_ = hook;
  if (engine->watch_ != nullptr) engine->watch_->Close();
}

}  // namespace

Result MakeNestedEngine(HostWatch* watch, UniqueFd fd, HostNudge* nudge, WatchEngine** engine) {
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(watch->env(), &loop) != napi_ok || loop == nullptr) return -ENOTSUP;
  auto* nested = new NestedEngine(watch, std::move(fd), nudge);
  const Result result = nested->Open(loop);
  if (result < 0) {
    NestedEngine::Discard(nested);
    return result;
  }
  *engine = nested;
  return 0;
}

}  // namespace fdloop
