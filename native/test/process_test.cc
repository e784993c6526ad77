// process_test.cc: children that are shells of the system, or programs that are not there. On Linux also as
// on a kernel of before 5.1, which lacks three calls: `process_test old-kernel`.
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#endif

#include <string>

#include "base/unique_fd.h"
#include "process/child.h"
#include "process/close_others.h"
#include "process/spawn.h"
#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    if (pipe(ends) != 0) return;
    for (const int end : ends) fcntl(end, F_SETFD, FD_CLOEXEC);
    out.Reset(ends[0]);
    in.Reset(ends[1]);
  }

  // Everything up to the end, which comes when nobody has the other end any more.
  std::string ReadAll() {
    in.Reset();
    std::string all;
    char buffer[512];
    for (ssize_t length; (length = read(out.get(), buffer, sizeof buffer)) > 0;) {
      all.append(buffer, static_cast<size_t>(length));
    }
    return all;
  }

  UniqueFd out;
  UniqueFd in;
};

SpawnRequest Shell(const char* script) {
  SpawnRequest request;
  request.executables = {"/bin/sh"};
  request.arguments = {"sh", "-c", script};
  request.environment = {"PATH=/usr/bin:/bin"};
  return request;
}

// What the script says, with whatever `prepare` does to its request; "failed" if there is no child.
template <typename Prepare>
std::string OutputOf(const char* script, Prepare prepare) {
  Pipe pipe;
  SpawnRequest request = Shell(script);
  request.streams[1] = pipe.in.get();
  prepare(&request);
  SpawnStep step;
  const Result pid = Spawn(request, &step);
  if (pid < 0) return "failed";
  std::string output = pipe.ReadAll();
  int status;
  waitpid(pid, &status, 0);
  return output;
}

std::string OutputOf(const char* script) {
  return OutputOf(script, [](SpawnRequest*) {});
}

Result StatusOf(Child* child, int32_t* status) {
  for (;;) {
    const Result result = child->Reap(status);
    if (result != -EAGAIN) return result;
    Pause(100'000);
  }
}

int CountDescriptors() {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

volatile sig_atomic_t handled = 0;
void Note(int) { handled = 1; }

}  // namespace

TEST(RunsAProgramWithItsArgumentsAndEnvironment) {
  const std::string output = OutputOf("echo \"$0 $1 $WORD\"", [](SpawnRequest* to) {
    to->arguments.insert(to->arguments.end(), {"zero", "one two"});
    to->environment.push_back("WORD=three");
  });
  CHECK_EQ(output.compare("zero one two three\n"), 0);
}

TEST(TellsThatThereIsNoProgram) {
  SpawnRequest request = Shell("");
  request.executables = {"/bin/sh/none", "/nowhere/at/all"};
  const int before = CountDescriptors();
  SpawnStep step;
  CHECK_EQ(Spawn(request, &step), -ENOENT);
  CHECK_EQ(static_cast<int>(step), static_cast<int>(SpawnStep::kExecute));
  CHECK_EQ(CountDescriptors(), before);
  // Nothing is left to wait for.
  CHECK_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  CHECK_EQ(errno, ECHILD);
}

TEST(TheLastFolderTellsWhyThereIsNoProgram) {
  SpawnRequest request = Shell("");
  request.executables = {"/nowhere/at/all", "/bin/sh/none"};
  SpawnStep step;
  CHECK_EQ(Spawn(request, &step), -ENOTDIR);
  request.executables.clear();
  CHECK_EQ(Spawn(request, &step), -ENOENT);
}

TEST(AProgramThatMustNotBeRunIsWorseThanNone) {
  SpawnRequest request = Shell("");
  request.executables = {"/nowhere/at/all", "/etc/passwd", "/nowhere/else"};
  SpawnStep step;
  CHECK_EQ(Spawn(request, &step), -EACCES);
}

TEST(TriesTheProgramsInTurn) {
  const std::string output = OutputOf("echo here", [](SpawnRequest* to) {
    to->executables = {"/nowhere/sh", "/etc/passwd", "/bin/sh"};
  });
  CHECK_EQ(output.compare("here\n"), 0);
}

TEST(TellsThatThereIsNoDirectory) {
  SpawnRequest request = Shell("");
  request.has_directory = true;
  request.directory = "/nowhere/at/all";
  SpawnStep step;
  CHECK_EQ(Spawn(request, &step), -ENOENT);
  CHECK_EQ(static_cast<int>(step), static_cast<int>(SpawnStep::kDirectory));
}

TEST(ChangesTheDirectoryAndTheUmask) {
  const std::string output = OutputOf("pwd; umask", [](SpawnRequest* to) {
    to->has_directory = true;
    to->directory = "/";
    to->umask = 027;
  });
  CHECK_EQ(output.compare("/\n0027\n"), 0);
}

TEST(StreamsMayLieAcrossEachOther) {
  // What is 0, 1 and 2 here takes turns there.
  Pipe one;
  Pipe two;
  UniqueFd kept[3];
  for (int fd = 0; fd < 3; ++fd) kept[fd].Reset(fcntl(fd, F_DUPFD_CLOEXEC, 10));
  dup2(one.in.get(), 0);
  dup2(two.in.get(), 1);
  SpawnRequest request = Shell("echo first; echo second >&2");
  request.streams[1] = 0;
  request.streams[2] = 1;
  SpawnStep step;
  const Result pid = Spawn(request, &step);
  for (int fd = 0; fd < 3; ++fd) dup2(kept[fd].get(), fd);
  CHECK(pid > 0);
  CHECK_EQ(one.ReadAll().compare("first\n"), 0);
  CHECK_EQ(two.ReadAll().compare("second\n"), 0);
  waitpid(pid, nullptr, 0);
}

TEST(AStreamOfItsOwnNumberIsInherited) {
  Pipe pipe;
  UniqueFd kept(fcntl(1, F_DUPFD_CLOEXEC, 10));
  dup2(pipe.in.get(), 1);
  fcntl(1, F_SETFD, FD_CLOEXEC);
  SpawnRequest request = Shell("echo out; echo error >&2");
  request.streams[1] = 1;
  request.streams[2] = 1;
  SpawnStep step;
  const Result pid = Spawn(request, &step);
  dup2(kept.get(), 1);
  CHECK(pid > 0);
  CHECK_EQ(pipe.ReadAll().compare("out\nerror\n"), 0);
  waitpid(pid, nullptr, 0);
}

TEST(AStreamMayBeTheNullDevice) {
  const std::string output = OutputOf("cat; echo lost >&2; echo done", [](SpawnRequest* to) {
    to->streams[0] = kNullDevice;
    to->streams[2] = kNullDevice;
  });
  CHECK_EQ(output.compare("done\n"), 0);
}

TEST(ClosesWhatIsNotKept) {
  Pipe kept;
  Pipe open;
  for (const int fd : {kept.in.get(), open.in.get()}) fcntl(fd, F_SETFD, 0);
  char script[160];
  snprintf(script, sizeof script, "for fd in %d %d; do { true >&$fd; } 2>/dev/null && echo $fd; done",
           kept.in.get(), open.in.get());
  const auto keep = [&](SpawnRequest* to) {
    to->kept_fds = {kept.in.get()};
  };
  CHECK_EQ(atoi(OutputOf(script, keep).c_str()), kept.in.get());
  CHECK_EQ(OutputOf(script).size(), 0);
  const auto leave = [&](SpawnRequest* to) {
    to->closes_others = false;
  };
  std::string both = std::to_string(kept.in.get()) + "\n" + std::to_string(open.in.get()) + "\n";
  CHECK_EQ(OutputOf(script, leave).compare(both), 0);
}

TEST(WhatIsKeptNeedsNotBeInheritable) {
  Pipe kept;
  char script[64];
  snprintf(script, sizeof script, "echo there >&%d", kept.in.get());
  OutputOf(script, [&](SpawnRequest* to) { to->kept_fds = {kept.in.get()}; });
  CHECK_EQ(kept.ReadAll().compare("there\n"), 0);
}

TEST(ADescriptorThatIsNotOpenCannotBeKept) {
  SpawnRequest request = Shell("");
  request.kept_fds = {200};
  SpawnStep step;
  CHECK_EQ(Spawn(request, &step), -EBADF);
  CHECK_EQ(static_cast<int>(step), static_cast<int>(SpawnStep::kDescriptors));
}

TEST(StartsASession) {
  const std::string output = OutputOf("ps -o sid= -p $$ 2>/dev/null || echo $$; echo $$",
                                      [](SpawnRequest* to) { to->starts_session = true; });
  const size_t end = output.find('\n');
  CHECK(end != std::string::npos);
  CHECK_EQ(atoi(output.c_str()), atoi(output.c_str() + end));
}

TEST(JoinsAProcessGroup) {
  SpawnRequest request = Shell("kill -STOP $$");
  request.process_group = 0;
  SpawnStep step;
  const Result pid = Spawn(request, &step);
  CHECK(pid > 0);
  CHECK_EQ(getpgid(pid), pid);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  request.process_group = 1;  // That of another session.
  CHECK_EQ(Spawn(request, &step), -EPERM);
  CHECK_EQ(static_cast<int>(step), static_cast<int>(SpawnStep::kProcessGroup));
}

// The shell tells which signals were ignored when it began: `trap` cannot set those.
TEST(IgnoredSignalsAreOnesOfTheUsualKindAgain) {
  signal(SIGPIPE, SIG_IGN);
  const char* script = "kill -PIPE $$; echo ignored";
  CHECK_EQ(OutputOf(script).size(), 0);
  CHECK_EQ(OutputOf(script, [](SpawnRequest* to) { to->restores_signals = false; }).compare("ignored\n"), 0);
  signal(SIGPIPE, SIG_DFL);
}

TEST(AHandlerOfThisProcessIsNoneOfTheChilds) {
  signal(SIGUSR1, Note);
  CHECK_EQ(OutputOf("kill -USR1 $$; echo survived").size(), 0);
  CHECK_EQ(handled, 0);
  signal(SIGUSR1, SIG_DFL);
}

TEST(TheSignalsThatAreBlockedStaySo) {
  sigset_t set;
  sigset_t now;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  CHECK_EQ(OutputOf("kill -USR2 $$; echo blocked").compare("blocked\n"), 0);
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  CHECK_EQ(sigismember(&now, SIGUSR2), 1);
  CHECK_EQ(sigismember(&now, SIGTERM), 0);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

TEST(CredentialsNeedPermission) {
  SpawnRequest request = Shell("exit 0");
  request.user = getuid() == 0 ? 65534 : 0;
  SpawnStep step;
  const Result pid = Spawn(request, &step);
  if (getuid() == 0) {
    CHECK(pid > 0);
    waitpid(pid, nullptr, 0);
    CHECK_EQ(getuid(), 0);
    CHECK_EQ(OutputOf("id -u; id -g",
                      [](SpawnRequest* to) {
                        to->user = to->group = 65534;
                        to->sets_groups = true;
                      })
                 .compare("65534\n65534\n"),
             0);
  } else {
    CHECK_EQ(pid, -EPERM);
    CHECK_EQ(static_cast<int>(step), static_cast<int>(SpawnStep::kUser));
  }
}

TEST(AChildTellsItsStatus) {
  SpawnStep step;
  Child seven(Spawn(Shell("exit 7"), &step));
  int32_t status = 0;
  CHECK_EQ(StatusOf(&seven, &status), 0);
  CHECK_EQ(status, 7);
  CHECK_EQ(seven.Reap(&status), -ECHILD);
  CHECK_EQ(seven.HasEnded(), -ECHILD);
  CHECK_EQ(seven.Signal(SIGTERM), -ESRCH);
}

TEST(AKilledChildTellsTheSignal) {
  SpawnStep step;
  Child cat(Spawn(Shell("kill -STOP $$"), &step));
  int32_t status = 0;
  CHECK_EQ(cat.Reap(&status), -EAGAIN);
  CHECK_EQ(cat.HasEnded(), 0);
  CHECK_EQ(cat.Signal(SIGKILL), 0);
  CHECK_EQ(StatusOf(&cat, &status), 0);
  CHECK_EQ(status, -SIGKILL);
}

TEST(LookingDoesNotReap) {
  SpawnStep step;
  Child child(Spawn(Shell("exit 3"), &step));
  while (child.HasEnded() == 0) Pause(100'000);
  CHECK_EQ(child.HasEnded(), 1);
  CHECK_EQ(child.Signal(SIGTERM), 0);  // To a process that has ended: no effect, and no error.
  int32_t status = 0;
  CHECK_EQ(child.Reap(&status), 0);
  CHECK_EQ(status, 3);
}

TEST(AChildThatSomebodyElseReapedIsNotSignalled) {
  SpawnStep step;
  Child child(Spawn(Shell("exit 3"), &step));
  waitpid(child.Pid(), nullptr, 0);
  int32_t status = 0;
  CHECK_EQ(child.HasEnded(), -ECHILD);
  CHECK_EQ(child.Signal(SIGTERM), -ESRCH);
  CHECK_EQ(child.Reap(&status), -ECHILD);
}

TEST(TheDescriptorBecomesReadableAtTheEnd) {
  SpawnStep step;
  Child child(Spawn(Shell("kill -STOP $$"), &step));
  const Result fd = child.Descriptor();
  const bool is_there = fd >= 0;
#ifdef __linux__
  CHECK_EQ(is_there, strcmp(CurrentRun().argument, "old-kernel") != 0);
#endif
  CHECK_EQ(child.Signal(SIGKILL), 0);
  int32_t status = 0;
  if (is_there) {
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(WaitReadable(fd));
    CHECK_EQ(child.Reap(&status), 0);
    CHECK_EQ(fcntl(fd, F_GETFD), -1);
  } else {
    CHECK_EQ(fd, -ENOSYS);
    CHECK_EQ(StatusOf(&child, &status), 0);
  }
}

TEST(AThreadTellsOfTheEnd) {
  SocketPair pair;
  SpawnStep step;
  Child child(Spawn(Shell("kill -STOP $$"), &step));
  CHECK_EQ(child.WatchByThread(pair.b), 0);
  CHECK_EQ(child.WatchByThread(pair.b), -EALREADY);
  CHECK_EQ(child.Signal(SIGTERM), 0);
  CHECK_EQ(child.Signal(SIGCONT), 0);
  CHECK(WaitReadable(pair.a));
  int32_t status = 0;
  CHECK_EQ(child.Reap(&status), 0);
  CHECK_EQ(status, -SIGTERM);
}

TEST(AThreadReapsAChildThatIsNotWantedAnyMore) {
  SocketPair pair;
  SpawnStep step;
  int pid;
  {
    Child child(Spawn(Shell("kill -STOP $$"), &step));
    pid = child.Pid();
    CHECK_EQ(child.WatchByThread(pair.b), 0);
  }
  kill(pid, SIGKILL);
  // Until its number means nothing any more.
  while (kill(pid, 0) == 0) Pause(100'000);
  CHECK_EQ(errno, ESRCH);
}

TEST(TheNextSpawnReapsAChildThatIsNotWantedAnyMore) {
  SpawnStep step;
  int pid;
  {
    Child child(Spawn(Shell("kill -STOP $$"), &step));
    pid = child.Pid();
  }
  ReapAbandoned();
  CHECK_EQ(kill(pid, SIGKILL), 0);
  siginfo_t info;
  CHECK_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  Child other(Spawn(Shell("exit 0"), &step));
  CHECK_EQ(kill(pid, 0), -1);
  int32_t status;
  CHECK_EQ(StatusOf(&other, &status), 0);
}

TEST(WithoutDescriptorsNothingIsSpawned) {
  const int before = CountDescriptors();
  UniqueFd taken[256];
  int fd;
  size_t count = 0;
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit low = {64, limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &low);
  while ((fd = dup(0)) >= 0) taken[count++].Reset(fd);
  SpawnStep step;
  const Result none = Spawn(Shell("exit 0"), &step);
  taken[0].Reset();
  const Result one = Spawn(Shell("exit 0"), &step);
  for (UniqueFd& each : taken) each.Reset();
  setrlimit(RLIMIT_NOFILE, &limit);
  CHECK_EQ(none, -EMFILE);
  CHECK_EQ(one, -EMFILE);
  CHECK_EQ(static_cast<int>(step), static_cast<int>(SpawnStep::kStart));
  CHECK_EQ(CountDescriptors(), before);
}

#ifdef __linux__
// From here on, in this process and its children, pidfd_send_signal, pidfd_open and close_range are not
// there.
static bool ForgetNewCalls() {
  constexpr uint32_t kNew[] = {424, 434, 436};
  const uint32_t number = offsetof(seccomp_data, nr);
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kNew[0], 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kNew[1], 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kNew[2], 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
  };
  sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
#endif

int main(int argc, char** argv) {
#ifdef __linux__
  if (argc > 1 && strcmp(argv[1], "old-kernel") == 0 && !ForgetNewCalls()) return 1;
#endif
  return RunTests(argc, argv);
}
