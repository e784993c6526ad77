// child_posix.cc: children by descriptors where there are some, else by their numbers and waiting threads.
#include <signal.h>
#include <sys/wait.h>

#include <mutex>
#include <vector>

#include "base/thread.h"
#include "process/child.h"
#include "process/pidfd.h"
#include "socket/socket.h"

namespace fdloop {

namespace {

// 0, or -ECHILD; without blocking it stays an empty `info` while the child runs.
Result Look(int pid, int pidfd, int options, siginfo_t* info) {
  *info = {};
  Result result = pidfd < 0 ? -ENOSYS : WaitByPidfd(pidfd, info, options);
  if (result == -ENOSYS) {
    result = RetryInterrupted([&] { return waitid(P_PID, static_cast<id_t>(pid), info, options); });
  }
  return result;
}

Result ReapByPidfd(int pidfd, int32_t* status) {
  siginfo_t info = {};
  const Result result = WaitByPidfd(pidfd, &info, WEXITED | WNOHANG);
  if (result < 0) return result;
  if (info.si_pid == 0) return -EAGAIN;
  *status = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
  return 0;
}

// Not by waitid: macOS does not tell the signal there.
Result ReapByPid(int pid, int32_t* status) {
  int word = 0;
  const Result result = RetryInterrupted([&] { return waitpid(pid, &word, WNOHANG); });
  if (result < 0) return result;
  if (result == 0) return -EAGAIN;
  *status = WIFSIGNALED(word) ? -WTERMSIG(word) : WEXITSTATUS(word);
  return 0;
}

Result ReapNow(int pid, int pidfd, int32_t* status) {
  const Result result = pidfd < 0 ? -ENOSYS : ReapByPidfd(pidfd, status);
  return result == -ENOSYS ? ReapByPid(pid, status) : result;
}

struct Orphan {
  int pid;
  UniqueFd pidfd;
};

// Of the whole process. Never destroyed: threads may come by until the very end.
struct Orphans {
  std::mutex mutex;
  std::vector<Orphan> list;
};

Orphans& AllOrphans() {
  static Orphans* const orphans = new Orphans;
  return *orphans;
}

}  // namespace

void ReapAbandoned() {
  Orphans& orphans = AllOrphans();
  const std::lock_guard<std::mutex> lock(orphans.mutex);
  std::vector<Orphan> running;
  for (Orphan& orphan : orphans.list) {
    int32_t status;
    if (ReapNow(orphan.pid, orphan.pidfd.get(), &status) == -EAGAIN) running.push_back(std::move(orphan));
  }
  orphans.list = std::move(running);
}

// Owned by the thread and by the Child; the last one to let go deletes it, on whichever thread that is.
struct Child::Watch {
  int pid = 0;

  // All below belong to the mutex.
  std::mutex mutex;
  bool has_ended = false;
  bool is_abandoned = false;
  int wake_end = -1;

  void CloseWakeEnd() {
    if (wake_end >= 0) Close(wake_end);
    wake_end = -1;
  }

  static void Main(void* data);
};

// Leaves the child to be reaped by its owner: until then, nobody else can get its number.
void Child::Watch::Main(void* data) {
  const std::unique_ptr<std::shared_ptr<Watch>> owner(static_cast<std::shared_ptr<Watch>*>(data));
  Watch& watch = **owner;
  siginfo_t info;
  Look(watch.pid, -1, WEXITED | WNOWAIT, &info);
  const std::lock_guard<std::mutex> lock(watch.mutex);
  watch.has_ended = true;
  if (watch.wake_end >= 0) {
    const uint8_t byte = 0;
    Send(watch.wake_end, &byte, 1, kDoNotWait);
    watch.CloseWakeEnd();
  }
  int32_t status;
  if (watch.is_abandoned) ReapNow(watch.pid, -1, &status);
}

Child::Child(int pid) : pid_(pid) {
  const Result fd = OpenPidfd(pid);
  if (fd < 0)
    no_pidfd_ = fd;
  else
    pidfd_.Reset(fd);
}

Child::~Child() {
  Unwatch();
  int32_t status;
  if (is_reaped_) return;
  if (watch_ != nullptr) {
    const std::lock_guard<std::mutex> lock(watch_->mutex);
    watch_->is_abandoned = true;
    if (!watch_->has_ended) return;
  }
  if (ReapNow(pid_, pidfd_.get(), &status) != -EAGAIN) return;
  Orphans& orphans = AllOrphans();
  const std::lock_guard<std::mutex> lock(orphans.mutex);
  orphans.list.push_back({pid_, std::move(pidfd_)});
}

Result Child::WatchByThread(int wake_fd) {
  if (watch_ != nullptr) return -EALREADY;
  const Result copy = Duplicate(wake_fd);
  if (copy < 0) return copy;
  auto watch = std::make_shared<Watch>();
  watch->pid = pid_;
  watch->wake_end = copy;
  auto owner = std::make_unique<std::shared_ptr<Watch>>(watch);
  Thread thread;
  const Result started = thread.Start(Watch::Main, owner.get());
  if (started < 0) {
    watch->CloseWakeEnd();
    return started;
  }
  thread.Detach();
  owner.release();
  watch_ = std::move(watch);
  return 0;
}

void Child::Unwatch() {
  if (watch_ == nullptr) return;
  const std::lock_guard<std::mutex> lock(watch_->mutex);
  watch_->CloseWakeEnd();
}

Result Child::HasEnded() const {
  if (is_reaped_) return -ECHILD;
  siginfo_t info;
  const Result result = Look(pid_, pidfd_.get(), WEXITED | WNOHANG | WNOWAIT, &info);
  if (result < 0) return result;
  return info.si_pid == 0 ? 0 : 1;
}

Result Child::Reap(int32_t* status) {
  if (is_reaped_) return -ECHILD;
  const Result result = ReapNow(pid_, pidfd_.get(), status);
  if (result == -EAGAIN) return result;
  is_reaped_ = true;
  pidfd_.Reset();
  return result;
}

Result Child::Signal(int number) {
  if (is_reaped_) return -ESRCH;
  if (pidfd_.IsOpen()) {
    const Result result = SignalByPidfd(pidfd_.get(), number);
    if (result != -ENOSYS) return result;
  }
  // If somebody else has reaped it, its number may be anybody's by now.
  if (HasEnded() == -ECHILD) return -ESRCH;
  return kill(pid_, number) < 0 ? LastFailure() : 0;
}

}  // namespace fdloop
