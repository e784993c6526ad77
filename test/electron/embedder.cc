// embedder.cc: a program that runs Node the way Electron's main process does, for tests without Electron.
//
//   embedder FILE [ARGUMENTS]    runs FILE as the main script; it ends with process.exit() or embedder.quit()
//
// The main thread belongs to somebody else, who never lets libuv wait: it takes tasks from a queue, as Chromium's message
// loop does. A second thread waits on libuv's descriptor, by way of an epoll instance of its own, for as long as libuv would
// have waited, then posts a task that runs libuv's loop once without waiting. So JavaScript runs in two kinds of
// places: inside of uv_run, and in other tasks of the main thread, of which libuv knows nothing. The main script and what
// `embedder.post` was given are such tasks.
//
// This libuv is the distribution's, without Electron's patch: a handle that is started in such a task is not seen before
// something else wakes the loop. Who starts one has to wake it; test/electron/boot.js does so for Node's timers and
// immediates, as Electron does.
#include <fcntl.h>
#include <node.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

// What the main thread is to do, by the time at which it is due.
class TaskQueue {
 public:
  void Post(std::function<void()> task, Clock::duration delay = {}) {
    const std::lock_guard<std::mutex> lock(mutex_);
    tasks_.emplace(Clock::now() + delay, std::move(task));
    changed_.notify_one();
  }

  // Waits for the next one.
  std::function<void()> Take() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (tasks_.empty() || tasks_.begin()->first > Clock::now()) {
      if (tasks_.empty()) {
        changed_.wait(lock);
      } else {
        changed_.wait_until(lock, tasks_.begin()->first);
      }
    }
    std::function<void()> task = std::move(tasks_.begin()->second);
    tasks_.erase(tasks_.begin());
    return task;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, std::function<void()>> tasks_;
};

// The main thread's tasks, and the thread that waits for libuv.
class Host {
 public:
  Host(uv_loop_t* loop, std::function<void()> after_each_run)
      : loop_(loop), after_each_run_(std::move(after_each_run)) {
    uv_sem_init(&may_wait_, 0);
    // Referenced: otherwise libuv would not wait at all while nothing else is.
    uv_async_init(loop_, &wake_, nullptr);
    epoll_event event = {};
    event.events = EPOLLIN;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, uv_backend_fd(loop_), &event);
    waiter_ = std::thread([this] { Wait(); });
  }

  ~Host() {
    is_over_ = true;
    uv_sem_post(&may_wait_);
    Activate();
    waiter_.join();
    uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
    uv_run(loop_, UV_RUN_NOWAIT);
    uv_sem_destroy(&may_wait_);
    close(epoll_);
  }

  void Post(std::function<void()> task, Clock::duration delay = {}) { tasks_.Post(std::move(task), delay); }

  // Has the waiting thread look again, from any thread.
  void Activate() { uv_async_send(&wake_); }

  void Quit(int code) {
    code_ = code;
    has_quit_ = true;
  }

  int Run() {
    Post([this] { RunLoop(); });
    while (!has_quit_) tasks_.Take()();
    return code_;
  }

  int waits() const { return waits_; }

 private:
  void RunLoop() {
    uv_run(loop_, UV_RUN_NOWAIT);
    after_each_run_();
    uv_sem_post(&may_wait_);
  }

  void Wait() {
    for (;;) {
      uv_sem_wait(&may_wait_);
      if (is_over_) return;
      epoll_event event;
      while (epoll_wait(epoll_, &event, 1, uv_backend_timeout(loop_)) < 0 && errno == EINTR) {
      }
      ++waits_;
      if (is_over_) return;
      Post([this] { RunLoop(); });
    }
  }

  uv_loop_t* loop_;
  std::function<void()> after_each_run_;
  TaskQueue tasks_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  uv_async_t wake_;
  uv_sem_t may_wait_;
  std::thread waiter_;
  std::atomic<bool> is_over_{false};
  std::atomic<int> waits_{0};
  bool has_quit_ = false;
  int code_ = 0;
};

Host* the_host = nullptr;
node::Environment* the_environment = nullptr;

v8::Local<v8::String> Text(v8::Isolate* isolate, const char* text) {
  return v8::String::NewFromUtf8(isolate, text).ToLocalChecked();
}

// post(function, seconds): calls it in a task of the main thread, outside of uv_run.
void Post(const v8::FunctionCallbackInfo<v8::Value>& info) {
  if (the_host == nullptr) return;
  v8::Isolate* isolate = info.GetIsolate();
  const double seconds = info.Length() > 1 ? info[1].As<v8::Number>()->Value() : 0;
  auto function = std::make_shared<v8::Global<v8::Function>>(isolate, info[0].As<v8::Function>());
  const auto delay = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  the_host->Post(
      [isolate, function] {
        const v8::HandleScope handles(isolate);
        v8::Local<v8::Context> context = isolate->GetCurrentContext();
        node::MakeCallback(isolate, context->Global(), function->Get(isolate), 0, nullptr, {0, 0});
      },
      delay);
}

// At the end of the environment there is nobody any more to be woken.
void Activate(const v8::FunctionCallbackInfo<v8::Value>&) {
  if (the_host != nullptr) the_host->Activate();
}

void Quit(const v8::FunctionCallbackInfo<v8::Value>& info) {
  if (the_host != nullptr) the_host->Quit(info.Length() > 0 ? static_cast<int>(info[0].As<v8::Number>()->Value()) : 0);
}

void Waits(const v8::FunctionCallbackInfo<v8::Value>& info) { info.GetReturnValue().Set(the_host == nullptr ? 0 : the_host->waits()); }

// The main thread stands still, and Node ends without a goodbye, as Electron does at app.exit().
[[noreturn]] void Exit(node::Environment*, int code) {
  fflush(stdout);
  _exit(code);
}

void DefineEmbedder(v8::Isolate* isolate, v8::Local<v8::Context> context) {
  v8::Local<v8::Object> embedder = v8::Object::New(isolate);
  const std::pair<const char*, v8::FunctionCallback> members[] = {
      {"post", Post}, {"activate", Activate}, {"quit", Quit}, {"waits", Waits}};
  for (const auto& [name, callback] : members) {
    v8::Local<v8::Function> function = v8::Function::New(context, callback).ToLocalChecked();
    embedder->Set(context, Text(isolate, name), function).Check();
  }
  context->Global()->Set(context, Text(isolate, "embedder"), embedder).Check();
}

int RunNode(node::MultiIsolatePlatform* platform, const std::vector<std::string>& args,
            const std::vector<std::string>& exec_args) {
  std::vector<std::string> errors;
  auto setup = node::CommonEnvironmentSetup::Create(platform, &errors, args, exec_args);
  for (const std::string& error : errors) fprintf(stderr, "%s\n", error.c_str());
  if (!setup) return 1;
  v8::Isolate* isolate = setup->isolate();
  int code = 0;
  {
    const v8::Locker locker(isolate);
    const v8::Isolate::Scope isolate_scope(isolate);
    const v8::HandleScope handles(isolate);
    const v8::Context::Scope context_scope(setup->context());
    the_environment = setup->env();
    node::SetProcessExitHandler(the_environment, Exit);
    {
      Host host(setup->event_loop(), [&] { platform->DrainTasks(isolate); });
      the_host = &host;
      DefineEmbedder(isolate, setup->context());
      const char* boot =
          "const { createRequire } = require('module');"
          "createRequire(process.cwd() + '/')(process.env.FDLOOP_EMBEDDER_BOOT);";
      if (node::LoadEnvironment(the_environment, boot).IsEmpty()) return 1;
      code = host.Run();
      the_host = nullptr;
    }
    node::Stop(the_environment);
  }
  // Ends the environment: cleanup hooks run, and libuv's loop until the last handle is closed.
  setup.reset();
  return code;
}

}  // namespace

// Debian's Node reads some of its own modules from this folder. The packages that they come in are unpacked elsewhere, so as not
// to be installed, and a file that libuv opens there is opened where it is.
extern "C" __attribute__((visibility("default"))) int open64(const char* path, int flags, ...) {
  static constexpr char kFolder[] = "/usr/share/nodejs";
  const char* root = getenv("FDLOOP_EMBEDDER_ROOT");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  std::string moved;
  if (root != nullptr && strncmp(path, kFolder, sizeof kFolder - 1) == 0) path = (moved = std::string(root) + path).c_str();
  return openat(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int main(int argc, char** argv) {
  argv = uv_setup_args(argc, argv);
  const std::vector<std::string> args(argv, argv + argc);
  const auto result =
      node::InitializeOncePerProcess(args, {node::ProcessInitializationFlags::kNoInitializeV8,
                                            node::ProcessInitializationFlags::kNoInitializeNodeV8Platform});
  for (const std::string& error : result->errors()) fprintf(stderr, "%s\n", error.c_str());
  if (result->early_return()) return result->exit_code();
  auto platform = node::MultiIsolatePlatform::Create(2);
  v8::V8::InitializePlatform(platform.get());
  v8::V8::Initialize();
  const int code = RunNode(platform.get(), result->args(), result->exec_args());
  v8::V8::Dispose();
  v8::V8::DisposePlatform();
  node::TearDownOncePerProcess();
  return code;
}
