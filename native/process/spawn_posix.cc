// spawn_posix.cc: fork and exec.
//
//   this thread   allocates everything, blocks all signals, forks -------- reads from a pipe until its end
//   the child                                                     \- steps ... exec: the pipe is closed
//                                                                         or: writes what failed, and ends
//
// On Linux the child borrows this process' memory until its exec (vfork): nothing of a big process is copied.
// The child calls only what signal handlers may call, and leaves that memory as it is.
#include "process/spawn.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/unique_fd.h"
#include "process/child.h"
#include "process/close_others.h"
#include "socket/file.h"

namespace fdloop {

namespace {

constexpr int kFirstFree = 3;  // Behind the standard streams.

struct Failure {
  SpawnStep step;
  int32_t error;
};

// Everything that the child needs, allocated before it is there.
struct Plan {
  explicit Plan(const SpawnRequest& request_in)
      : request(request_in),
        arguments(Pointers(request.arguments)),
        environment(Pointers(request.environment)),
        kept(request.kept_fds),
        groups(request.groups.begin(), request.groups.end()) {}

  static std::vector<char*> Pointers(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
    pointers.push_back(nullptr);
    return pointers;
  }

  const SpawnRequest& request;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  std::vector<int> kept;  // And the pipe.
  std::vector<gid_t> groups;
  int failure_fd = -1;
  sigset_t signals;  // Blocked before.
};

// --- In the child
// -----------------------------------------------------------------------------------------------

[[noreturn]] void GiveUp(const Plan& plan, SpawnStep step, int error) {
  const Failure failure = {step, error};
  // Less than a page: all of it or nothing. If it cannot be told, the status tells something.
  while (write(plan.failure_fd, &failure, sizeof failure) < 0 && errno == EINTR) continue;
  _exit(255);
}

void Require(const Plan& plan, SpawnStep step, bool is_done) {
  if (!is_done) GiveUp(plan, step, errno);
}

bool MakeInheritable(int fd) {
  const int flags = fcntl(fd, F_GETFD);
  return flags >= 0 && fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC) == 0;
}

bool OpenNullDevice(int target) {
  const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  if (fd == target) return MakeInheritable(fd);
  const bool is_placed = dup2(fd, target) >= 0;
  close(fd);
  return is_placed;
}

// A source may be one of the numbers that are written to: it is put out of the way first.
bool PlaceStreams(const SpawnRequest& request) {
  int sources[3];
  for (int target = 0; target < 3; ++target) {
    const int source = request.streams[target];
    sources[target] = source;
    if (source < 0 || source >= kFirstFree || source == target) continue;
    sources[target] = fcntl(source, F_DUPFD_CLOEXEC, kFirstFree);
    if (sources[target] < 0) return false;
  }
  for (int target = 0; target < 3; ++target) {
    const int source = sources[target];
    if (source == kInherited) continue;
    const bool is_placed = source == kNullDevice ? OpenNullDevice(target)
                           : source == target    ? MakeInheritable(source)
                                                 : dup2(source, target) >= 0;
    if (!is_placed) return false;
  }
  return true;
}

// No handler of this process may run in the child; exec itself resets those, but only after signals are let
// in again. What is ignored stays ignored in the new program: Node ignores SIGPIPE, on its own account.
void ResetSignals(bool restores_ignored) {
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action;
    // Fails for numbers that the system keeps to itself.
    if (sigaction(number, nullptr, &action) != 0) continue;
    const bool is_ignored = (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN;
    const bool is_default = (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_DFL;
    if (is_default || (is_ignored && !(restores_ignored && (number == SIGPIPE || number == SIGXFSZ))))
      continue;
    action.sa_flags = 0;
    action.sa_handler = SIG_DFL;
    sigaction(number, &action, nullptr);
  }
}

// A folder of the path without such a program is no reason to report, if another one has something worse.
[[noreturn]] void Execute(const Plan& plan) {
  int worst = 0;
  int last = ENOENT;
  for (const std::string& file : plan.request.executables) {
    execve(file.c_str(), plan.arguments.data(), plan.environment.data());
    last = errno;
    if (last != ENOENT && last != ENOTDIR && worst == 0) worst = last;
  }
  GiveUp(plan, SpawnStep::kExecute, worst == 0 ? last : worst);
}

[[noreturn]] void RunChild(const Plan& plan) {
  const SpawnRequest& request = plan.request;
  for (const int fd : request.kept_fds) Require(plan, SpawnStep::kDescriptors, MakeInheritable(fd));
  Require(plan, SpawnStep::kDescriptors, PlaceStreams(request));
  if (request.has_directory) Require(plan, SpawnStep::kDirectory, chdir(request.directory.c_str()) == 0);
  if (request.umask >= 0) umask(static_cast<mode_t>(request.umask));
  ResetSignals(request.restores_signals);
  sigprocmask(SIG_SETMASK, &plan.signals, nullptr);
  if (request.starts_session) Require(plan, SpawnStep::kSession, setsid() >= 0);
  if (request.process_group >= 0) {
    Require(plan, SpawnStep::kProcessGroup, setpgid(0, request.process_group) == 0);
  }
  if (request.sets_groups) {
    Require(plan, SpawnStep::kGroups, setgroups(plan.groups.size(), plan.groups.data()) == 0);
  }
  if (request.group >= 0) {
    const auto group = static_cast<gid_t>(request.group);
    Require(plan, SpawnStep::kGroup, setregid(group, group) == 0);
  }
  if (request.user >= 0) {
    const auto user = static_cast<uid_t>(request.user);
    Require(plan, SpawnStep::kUser, setreuid(user, user) == 0);
  }
  if (request.closes_others) CloseOthers(plan.kept.data(), plan.kept.size());
  Execute(plan);
}

// --- In this process
// --------------------------------------------------------------------------------------------

// The child's end lies above the standard streams, where the child would put another one in its place.
Result OpenFailurePipe(UniqueFd* read_end, UniqueFd* write_end) {
  int32_t ends[2];
  const Result opened = OpenPipe(ends);
  if (opened < 0) return opened;
  read_end->Reset(ends[0]);
  write_end->Reset(ends[1]);
  if (ends[1] >= kFirstFree) return 0;
  const int copy = fcntl(ends[1], F_DUPFD_CLOEXEC, kFirstFree);
  if (copy < 0) return LastFailure();
  write_end->Reset(copy);
  return 0;
}

// The C library changes credentials in every thread of its process, which must not be this one's.
pid_t Fork(const Plan& plan, bool changes_credentials) {
#if defined(__linux__)
  const pid_t pid = changes_credentials ? fork() : vfork();
#else
  (void)changes_credentials;
  const pid_t pid = fork();
#endif
  if (pid == 0) RunChild(plan);
  return pid;
}

}  // namespace

Result Spawn(const SpawnRequest& request, SpawnStep* failed) {
  *failed = SpawnStep::kStart;
  ReapAbandoned();
  Plan plan(request);
  UniqueFd read_end;
  UniqueFd write_end;
  const Result opened = OpenFailurePipe(&read_end, &write_end);
  if (opened < 0) return opened;
  plan.failure_fd = write_end.get();
  plan.kept.insert(std::upper_bound(plan.kept.begin(), plan.kept.end(), plan.failure_fd), plan.failure_fd);

  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &plan.signals);
  const pid_t pid = Fork(plan, request.sets_groups || request.group >= 0 || request.user >= 0);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &plan.signals, nullptr);
  if (pid < 0) return -error;

  write_end.Reset();
  Failure failure;
  const Result length = RetryInterrupted([&] { return read(read_end.get(), &failure, sizeof failure); });
  if (length != static_cast<Result>(sizeof failure)) return pid;
  RetryInterrupted([&] { return waitpid(pid, nullptr, 0); });
  *failed = failure.step;
  return -failure.error;
}

}  // namespace fdloop
