// child_posix.cc: children by descriptors where there are some, else by their numbers and waiting threads.
#include <signal.h>
#include <sys/wait.h>

#include <mutex>
#include <vector>

#include "process/child.h"
#include "process/pidfd.h"
#include "socket/detached_job.h"

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

// Leaves the child to be reaped by its owner: until then, nobody else can get its number.
struct Child::Watch final : DetachedJob {
  explicit Watch(int pid_in) : pid(pid_in) {}

  void Work() override {
    siginfo_t info;
    Look(pid, -1, WEXITED | WNOWAIT, &info);
  }

  void Drop() override {
    int32_t status;
    ReapNow(pid, -1, &status);
  }

  const int pid;
};

Child::Child(int pid) : pid_(pid) {
  const Result fd = OpenPidfd(pid);
  if (fd < 0)
    no_pidfd_ = fd;
  else
    pidfd_.Reset(fd);
}

Child::~Child() {
  Unwatch();
  if (is_reaped_) return;
  if (watch_ != nullptr && !watch_->Abandon()) return;
  int32_t status;
  if (ReapNow(pid_, pidfd_.get(), &status) != -EAGAIN) return;
  Orphans& orphans = AllOrphans();
  const std::lock_guard<std::mutex> lock(orphans.mutex);
  orphans.list.push_back({pid_, std::move(pidfd_)});
}

Result Child::WatchByThread(int wake_fd) {
  if (watch_ != nullptr) return -EALREADY;
  auto watch = std::make_shared<Watch>(pid_);
  const Result started = DetachedJob::Start(watch, wake_fd);
  if (started >= 0) watch_ = std::move(watch);
  return started;
}

void Child::Unwatch() {
  if (watch_ != nullptr) watch_->StopWaking();
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
