// thread_engine.cc: a waiting thread and a threadsafe function, for hosts without libuv and for selectors
// without a descriptor. The thread says only which Arm it answers; everything else happens on the host's
// thread.
//
// The threadsafe function owns the engine: its finalizer is the first moment at which no queued call can
// refer to it any more. An environment that ends runs our hook before the function's own, since hooks run in
// reverse order of their registration; so the thread has ended before the function goes.
#include "bridge/host_watch.h"
#include "selector/waiter.h"

namespace fdloop {

namespace {

class ThreadEngine final : public WatchEngine {
 public:
  explicit ThreadEngine(HostWatch* watch) : watch_(watch), env_(watch->env()) {}

  Result Open(Selector* selector);

  bool HasScope() const override { return true; }
  Result Start(uint32_t ticket) override;
  void Stop() override;
  void SetReferenced(bool referenced) override;
  void InterestsChanged() override { waiter_.InterestsChanged(); }
  void Release() override;

 private:
  ~ThreadEngine() override = default;

  static void OnReport(void* engine, uint32_t ticket);
  static void OnCall(napi_env env, napi_value function, void* engine, void* ticket);
  static void OnFinalize(napi_env env, void* engine, void* hint);
  static void OnCleanup(void* engine);

  void KeepAlive();

  HostWatch* watch_;  // Null once released.
  napi_env env_;
  napi_threadsafe_function function_ = nullptr;
  Waiter waiter_;
  bool started_ = false;
  bool referenced_ = true;
  bool keeps_alive_ = true;  // As the threadsafe function is born.
};

Result ThreadEngine::Open(Selector* selector) {
  napi_value name;
  if (napi_create_string_utf8(env_, "fdloop:HostWatch", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, this, OnFinalize, this, OnCall,
                                      &function_) != napi_ok) {
    delete this;
    return -ENOTSUP;
  }
  KeepAlive();
  napi_add_env_cleanup_hook(env_, OnCleanup, this);
  const Result result = waiter_.Start(selector, OnReport, this);
  if (result < 0) Release();
  return result;
}

// The function may only be touched when something changes: each change goes through the host's loop.
void ThreadEngine::KeepAlive() {
  const bool wanted = started_ && referenced_;
  if (wanted == keeps_alive_) return;
  keeps_alive_ = wanted;
  if (wanted) {
    napi_ref_threadsafe_function(env_, function_);
  } else {
    napi_unref_threadsafe_function(env_, function_);
  }
}

Result ThreadEngine::Start(uint32_t ticket) {
  started_ = true;
  KeepAlive();
  waiter_.Arm(ticket);
  return 0;
}

void ThreadEngine::Stop() {
  started_ = false;
  KeepAlive();
  waiter_.Disarm();
}

void ThreadEngine::SetReferenced(bool referenced) {
  referenced_ = referenced;
  KeepAlive();
}

void ThreadEngine::Release() {
  watch_ = nullptr;
  waiter_.Stop();
  napi_remove_env_cleanup_hook(env_, OnCleanup, this);
  // Throws away what is queued; the finalizer comes later.
  napi_release_threadsafe_function(function_, napi_tsfn_abort);
}

// On the waiting thread. The queue has no limit and the function is released only after this thread has
// ended, so the call cannot fail in a way that matters.
void ThreadEngine::OnReport(void* data, uint32_t ticket) {
  auto* engine = static_cast<ThreadEngine*>(data);
  napi_call_threadsafe_function(engine->function_, reinterpret_cast<void*>(static_cast<uintptr_t>(ticket)),
                                napi_tsfn_nonblocking);
}

void ThreadEngine::OnCall(napi_env env, napi_value, void* data, void* ticket) {
  if (env == nullptr) return;
  auto* engine = static_cast<ThreadEngine*>(data);
  if (engine->watch_ == nullptr) return;
  engine->watch_->Ready(static_cast<uint32_t>(reinterpret_cast<uintptr_t>(ticket)));
}

void ThreadEngine::OnFinalize(napi_env, void* data, void*) { delete static_cast<ThreadEngine*>(data); }

void ThreadEngine::OnCleanup(void* data) {
  auto* engine = static_cast<ThreadEngine*>(data);
  if (engine->watch_ != nullptr) engine->watch_->Close();
}

}  // namespace

Result MakeThreadEngine(HostWatch* watch, Selector* selector, WatchEngine** engine) {
  auto* thread = new ThreadEngine(watch);
  const Result result = thread->Open(selector);
  if (result >= 0) *engine = thread;
  return result;
}

}  // namespace fdloop
