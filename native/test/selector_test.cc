// selector_test.cc: the contract of selector.h, run on the selector that the first argument names. What
// differs between the facilities is asked by name, so that every difference is visible here.
#include <errno.h>
#include <string.h>

#ifndef _WIN32
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/select.h>
#endif

#include <memory>
#include <set>

#include "base/thread.h"
#include "selector/registry.h"
#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

constexpr int64_t kMs = 1000 * 1000;

// Windows' select() takes a list of sockets, and any of them.
#ifdef _WIN32
constexpr bool kIsWindows = true;
constexpr int kSelectLimit = INT32_MAX;
void AllowManyDescriptors() {}
#else
constexpr bool kIsWindows = false;
constexpr int kSelectLimit = FD_SETSIZE;
void AllowManyDescriptors() {
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}
#endif

bool Is(const char* name) { return strcmp(CurrentRun().argument, name) == 0; }

// Whether the kernel keeps the table, under a descriptor of its own.
bool IsInKernel() { return Is("epoll") || Is("kqueue"); }

std::unique_ptr<Selector> Make() {
  std::unique_ptr<Selector> selector;
  if (CreateSelector(CurrentRun().argument, &selector) != 0) {
    printf("no selector %s\n", CurrentRun().argument);
    _exit(2);
  }
  return selector;
}

struct Waker {
  int fd;
  int64_t delay_ns;
};

void WriteLater(void* data) {
  const auto* waker = static_cast<Waker*>(data);
  Pause(waker->delay_ns);
  Put(waker->fd, "x", 1);
}

}  // namespace

TEST(NameAndDescriptor) {
  auto selector = Make();
  CHECK(Is(selector->Name()));
  CHECK_EQ(selector->Fd() >= 0, IsInKernel());
#ifndef _WIN32
  if (selector->Fd() >= 0) CHECK_EQ(fcntl(selector->Fd(), F_GETFD), FD_CLOEXEC);
#endif
}

TEST(UnknownNameIsRefused) {
  std::unique_ptr<Selector> selector;
  CHECK_EQ(CreateSelector("nothing", &selector), -ENOSYS);
  CHECK(selector == nullptr);
}

TEST(AddTwiceIsRefused) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(selector->Add(pair.a, kWrite), -EEXIST);
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
}

TEST(UnknownDescriptorsAreRefused) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Modify(pair.a, kRead), -ENOENT);
  CHECK_EQ(selector->Remove(pair.a), -ENOENT);
  CHECK_EQ(selector->Remove(INT32_MAX), -ENOENT);
  CHECK_EQ(selector->Modify(INT32_MAX, kRead), -ENOENT);
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(selector->Remove(pair.a), 0);
  CHECK_EQ(selector->Remove(pair.a), -ENOENT);
}

TEST(NegativeDescriptorsAreRefused) {
  auto selector = Make();
  for (const int fd : {-1, -2, INT32_MIN}) {
    CHECK_EQ(selector->Add(fd, kRead), -EBADF);
    CHECK_EQ(selector->Modify(fd, kRead), -EBADF);
    CHECK_EQ(selector->Remove(fd), -EBADF);
  }
}

TEST(RefusedAddLeavesNothing) {
  auto selector = Make();
  if (Is("poll") || (Is("select") && kIsWindows)) return;
  const int fd = Is("select") ? kSelectLimit : ClosedFd();
  CHECK_EQ(selector->Add(fd, kRead), Is("select") ? -EINVAL : -EBADF);
  CHECK_EQ(selector->Remove(fd), -ENOENT);
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
}

TEST(ReadinessIsLevelTriggered) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  Put(pair.b, "xy", 2);
  Event event;
  for (int i = 0; i < 3; ++i) {
    CHECK_EQ(selector->Wait(-1, &event, 1), 1);
    CHECK_EQ(event.fd, pair.a);
    CHECK_EQ(event.mask, kRead);
  }
  char bytes[8];
  CHECK_EQ(Take(pair.a, bytes, sizeof bytes), 2);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
}

TEST(BothDirectionsComeAsOneEntry) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead | kWrite), 0);
  Put(pair.b, "x", 1);
  Event events[4];
  CHECK_EQ(selector->Wait(0, events, 4), 1);
  CHECK_EQ(events[0].mask, kRead | kWrite);
}

TEST(ModifyReplacesTheMask) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(selector->Modify(pair.a, kWrite), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kWrite);
  CHECK_EQ(selector->Modify(pair.a, kRead), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
}

TEST(UnknownMaskBitsAreIgnored) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead | (0x7ffffffc & ~(kPriority | kEdge | kOneShot))), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  Put(pair.b, "x", 1);
  for (int i = 0; i < 2; ++i) CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kRead);
}

TEST(PriorityIsNoDirection) {
  auto selector = Make();
  if (Is("kqueue")) return;
  TcpPair pair;
  CHECK(pair.a >= 0);
  Event event;
  CHECK_EQ(selector->Add(pair.a, kPriority), 0);
  Put(pair.b, "x", 1);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(Put(pair.b, "!", 1, MSG_OOB), true);
  CHECK_EQ(selector->Wait(-1, &event, 1), 1);
  CHECK_EQ(event.fd, pair.a);
  CHECK_EQ(event.mask, kPriority);
  CHECK_EQ(selector->Modify(pair.a, kRead | kWrite | kPriority), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kRead | kWrite | kPriority);
  char byte;
  CHECK_EQ(Take(pair.a, &byte, 1, MSG_OOB), 1);
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kRead | kWrite);
  CHECK_EQ(selector->Modify(pair.a, kRead), 0);
  CHECK_EQ(Put(pair.b, "!", 1, MSG_OOB), true);
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kRead);
}

TEST(EdgeAndOneShotAreTheKernelsOwn) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead | kEdge), 0);
  for (int i = 0; i < 2; ++i) {
    Put(pair.b, "x", 1);
    CHECK_EQ(selector->Wait(0, &event, 1), 1);
    CHECK_EQ(event.mask, kRead);
    CHECK_EQ(selector->Wait(0, &event, 1), IsInKernel() ? 0 : 1);
  }
  CHECK_EQ(selector->Modify(pair.a, kRead | kOneShot), 0);
  for (int i = 0; i < 2; ++i) {
    CHECK_EQ(selector->Wait(0, &event, 1), 1);
    CHECK_EQ(selector->Wait(0, &event, 1), Is("epoll") ? 0 : 1);
    CHECK_EQ(selector->Modify(pair.a, kRead | kOneShot), 0);
  }
}

#ifdef _WIN32
TEST(WhatIsNoSocketIsRefused) {
  auto selector = Make();
  const HANDLE event_object = CreateEventW(nullptr, TRUE, TRUE, nullptr);
  const int handle = static_cast<int>(reinterpret_cast<intptr_t>(event_object));
  // Numbers of the C library's files, and what the system would take for a handle nearby.
  for (const int fd : {handle, handle + 1, 1, 2}) {
    CHECK_EQ(selector->Add(fd, kRead), -ENOTSOCK);
    CHECK_EQ(selector->Remove(fd), -ENOENT);
  }
  CloseHandle(event_object);
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
}
#else
TEST(FilesThatAreAlwaysReadyAreRefused) {
  auto selector = Make();
  for (const char* path : {"/bin/sh", "/"}) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    for (int i = 0; i < 2; ++i) CHECK_EQ(selector->Add(fd, kRead), -EPERM);
    CHECK_EQ(selector->Remove(fd), -ENOENT);
    close(fd);
  }
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
}
#endif

#ifdef __linux__
// stat() calls it a regular file.
TEST(FilesThatCanBeWaitedForAreTaken) {
  auto selector = Make();
  if (Is("kqueue")) return;
  const int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  Event event;
  CHECK_EQ(selector->Add(fd, kPriority), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(selector->Modify(fd, kRead), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  close(fd);
}
#endif

TEST(HangUpWakesEitherDirection) {
  for (const int mask : {kRead, kWrite}) {
    auto selector = Make();
    SocketPair pair;
    Event event;
    CHECK_EQ(selector->Add(pair.a, mask), 0);
    pair.CloseB();
    CHECK_EQ(selector->Wait(-1, &event, 1), 1);
    CHECK((event.mask & mask) != 0);
  }
}

TEST(ConnectThatSucceedsIsWritable) {
  auto selector = Make();
  const UniqueFd listener = OpenNonBlocking(SOCK_STREAM);
  const UniqueFd client = OpenNonBlocking(SOCK_STREAM);
  sockaddr_in address;
  CHECK(ListenOnLoopback(listener.get(), &address));
  connect(AsSocket(client.get()), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  CHECK_EQ(selector->Add(client.get(), kWrite), 0);
  Event event;
  CHECK_EQ(selector->Wait(10000 * kMs, &event, 1), 1);
  CHECK_EQ(event.mask, kWrite);
}

// By then the system may have told the caller of connect() already.
TEST(ConnectThatFailsWakesTheWriter) {
  const sockaddr_in nowhere = Nowhere(SOCK_STREAM);
  auto selector = Make();
  const UniqueFd client = OpenNonBlocking(SOCK_STREAM);
  CHECK(connect(AsSocket(client.get()), reinterpret_cast<const sockaddr*>(&nowhere), sizeof nowhere) != 0);
  CHECK_EQ(selector->Add(client.get(), kWrite), 0);
  Event event;
  CHECK_EQ(selector->Wait(10000 * kMs, &event, 1), 1);
  CHECK((event.mask & kWrite) != 0);
}

TEST(EmptyMaskSeesHangUpsOnly) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, 0), 0);
  Put(pair.b, "x", 1);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  pair.CloseB();
  CHECK_EQ(selector->Wait(0, &event, 1), Is("epoll") || Is("poll") ? 1 : 0);
}

TEST(TimeoutsAreRoundedUp) {
  auto selector = Make();
  Event event;
  for (const int64_t timeout : {INT64_C(1), INT64_C(999), 2 * kMs + 1, 5 * kMs}) {
    const int64_t start = NowNs();
    CHECK_EQ(selector->Wait(timeout, &event, 1), 0);
    CHECK(NowNs() - start >= timeout);
  }
}

TEST(ZeroPolls) {
  auto selector = Make();
  Event event;
  const int64_t start = NowNs();
  for (int i = 0; i < 10; ++i) CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK(NowNs() - start < 500 * kMs);
}

TEST(WaitsWithoutLimitAreWoken) {
  for (const int64_t timeout : {INT64_C(-1), INT64_MIN, INT64_MAX}) {
    auto selector = Make();
    SocketPair pair;
    Event event;
    CHECK_EQ(selector->Add(pair.a, kRead), 0);
    Waker waker = {pair.b, 20 * kMs};
    Thread thread;
    CHECK_EQ(thread.Start(WriteLater, &waker), 0);
    CHECK_EQ(selector->Wait(timeout, &event, 1), 1);
    thread.Join();
    CHECK_EQ(event.fd, pair.a);
  }
}

#ifndef _WIN32
namespace {

struct Interrupter {
  pthread_t target;
};

void IgnoreSignal(int) {}

// Again and again, because the first signal may come before the wait has begun.
void* Interrupt(void* data) {
  auto* interrupter = static_cast<Interrupter*>(data);
  const timespec pause = {0, 5 * kMs};
  for (int i = 0; i < 20; ++i) {
    nanosleep(&pause, nullptr);
    pthread_kill(interrupter->target, SIGUSR1);
  }
  return nullptr;
}

}  // namespace

TEST(InterruptedWaitIsEmpty) {
  auto selector = Make();
  struct sigaction action = {};
  action.sa_handler = IgnoreSignal;
  sigaction(SIGUSR1, &action, nullptr);
  Interrupter interrupter = {pthread_self()};
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, nullptr, Interrupt, &interrupter), 0);
  Event event;
  const Result result = selector->Wait(-1, &event, 1);
  pthread_join(thread, nullptr);
  CHECK_EQ(result, 0);
}
#endif

TEST(ManyDescriptors) {
  AllowManyDescriptors();
  auto selector = Make();
  std::vector<UniqueFd> sockets;
  std::set<int> added;
  while (sockets.size() < 1200) {
    sockets.push_back(OpenEcho());
    const int fd = sockets.back().get();
    CHECK(Put(fd, "x", 1));
    const Result result = selector->Add(fd, kRead);
    CHECK_EQ(result, Is("select") && fd >= kSelectLimit ? -EINVAL : 0);
    if (result == 0) added.insert(fd);
  }
  std::vector<Event> events(added.size() + 10);
  CHECK_EQ(selector->Wait(0, events.data(), static_cast<int>(events.size())), added.size());
  for (const int fd : added) CHECK_EQ(selector->Remove(fd), 0);
  CHECK_EQ(selector->Wait(0, events.data(), 1), 0);
}

// With room for fewer entries than are ready, everyone gets a turn.
TEST(SmallArrayStarvesNobody) {
  constexpr int kPairs = 7;
  for (int room = 1; room < kPairs; ++room) {
    auto selector = Make();
    SocketPair pairs[kPairs];
    for (SocketPair& pair : pairs) {
      CHECK_EQ(selector->Add(pair.a, kRead), 0);
      Put(pair.b, "x", 1);
    }
    std::set<int> seen;
    Event events[kPairs];
    for (int turn = 0; turn * room < kPairs; ++turn) {
      const Result count = selector->Wait(0, events, room);
      CHECK_EQ(count, room);
      for (int i = 0; i < count; ++i) seen.insert(events[i].fd);
    }
    CHECK_EQ(seen.size(), kPairs);
  }
}

TEST(RemovingInTheMiddleKeepsTheOthers) {
  auto selector = Make();
  SocketPair pairs[3];
  for (SocketPair& pair : pairs) {
    CHECK_EQ(selector->Add(pair.a, kRead), 0);
    Put(pair.b, "x", 1);
  }
  CHECK_EQ(selector->Remove(pairs[0].a), 0);
  CHECK_EQ(selector->Modify(pairs[2].a, kRead | kWrite), 0);
  Event events[3];
  CHECK_EQ(selector->Wait(0, events, 3), 2);
  std::set<int> seen = {events[0].fd, events[1].fd};
  CHECK(seen == (std::set<int>{pairs[1].a, pairs[2].a}));
  CHECK_EQ(selector->Remove(pairs[2].a), 0);
  CHECK_EQ(selector->Remove(pairs[1].a), 0);
  CHECK_EQ(selector->Wait(0, events, 3), 0);
}

TEST(NoRoomIsRefused) {
  auto selector = Make();
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 0), -EINVAL);
  CHECK_EQ(selector->Wait(0, &event, -1), -EINVAL);
}

TEST(ClosedDescriptors) {
  auto selector = Make();
  SocketPair pair;
  const int fd = pair.a;
  Event event;
  CHECK_EQ(selector->Add(fd, kRead), 0);
  pair.CloseA();
  if (IsInKernel()) {
    CHECK_EQ(selector->Wait(0, &event, 1), 0);
    CHECK_EQ(selector->Remove(fd), -EBADF);
  } else if (Is("iocp")) {
    CHECK_EQ(selector->Wait(0, &event, 1), 0);
  } else if (Is("poll")) {
    CHECK_EQ(selector->Wait(0, &event, 1), 1);
    CHECK_EQ(event.fd, fd);
    CHECK_EQ(event.mask, kRead | kWrite);
    CHECK_EQ(selector->Remove(fd), 0);
  } else {
    CHECK_EQ(selector->Wait(0, &event, 1), -EBADF);
    CHECK_EQ(selector->Remove(fd), 0);
  }
  CHECK_EQ(selector->Remove(fd), -ENOENT);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
}

// epoll and a completion port refuse it; select's whole wait would fail.
TEST(ClosedDescriptorIsReportedByPollOnly) {
  auto selector = Make();
  if (!Is("poll")) return;
  const int fd = ClosedFd();
  CHECK_EQ(selector->Add(fd, kWrite), 0);
  Event event;
  CHECK_EQ(selector->Wait(-1, &event, 1), 1);
  CHECK_EQ(event.mask, kRead | kWrite);
}

TEST(ClosedSelectorAnswersBadDescriptor) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kWrite), 0);
  selector->Close();
  selector->Close();
  CHECK_EQ(selector->Fd(), -1);
  CHECK_EQ(selector->Add(pair.b, kRead), -EBADF);
  CHECK_EQ(selector->Modify(pair.a, kRead), -EBADF);
  CHECK_EQ(selector->Remove(pair.a), -EBADF);
  CHECK_EQ(selector->Wait(-1, &event, 1), -EBADF);
  CHECK_EQ(selector->Wait(-1, &event, 0), -EBADF);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
