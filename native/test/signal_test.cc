// signal_test.cc: signals as bytes, on top of what else handles them.
#include "process/signal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <string>

#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

constexpr int kSignal = SIGUSR1;
const char kOwner = 0;

// All that was received, one character for each byte: U is SIGUSR1, V is SIGUSR2, ? is anything else.
std::string Received(const SocketPair& pair) {
  char bytes[256];
  std::string text;
  for (int n; (n = Take(pair.a, bytes, sizeof bytes)) > 0;) {
    for (int i = 0; i < n; ++i) text += bytes[i] == SIGUSR1 ? 'U' : bytes[i] == SIGUSR2 ? 'V' : '?';
  }
  return text;
}

// A watch from beginning to end, without a host.
struct Watch {
  SocketPair pair;
  const int signal;
  const int reserved;
  const int watched;

  explicit Watch(int number = kSignal, bool host_listens = false)
      : signal(number),
        reserved(ReserveSignal(number, pair.b, &kOwner)),
        watched(WatchSignal(number, pair.b, host_listens)) {}
  ~Watch() {
    UnwatchSignal(signal, pair.b);
    ReleaseSignal(signal, pair.b);
  }
};

std::atomic<int> plain_calls{0};
std::atomic<int> info_calls{0};

void CountPlain(int) { ++plain_calls; }
void CountInfo(int, siginfo_t* info, void* context) {
  if (info != nullptr && info->si_signo == kSignal && context != nullptr) ++info_calls;
}
int calls_during = 0;
void RaiseTheOther(int) {
  raise(SIGUSR2);
  calls_during = plain_calls;
}
void SpoilErrno(int) { errno = ENOMEM; }

struct sigaction ActionOf(int signal) {
  struct sigaction action = {};
  sigaction(signal, nullptr, &action);
  return action;
}

bool HasHandler(int signal, void (*handler)(int)) { return ActionOf(signal).sa_handler == handler; }

void SetHandler(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

}  // namespace

TEST(EachArrivalIsAByteUntilItIsNotWatched) {
  {
    Watch watch;
    CHECK_EQ(watch.reserved, 0);
    CHECK_EQ(watch.watched, 0);
    raise(kSignal);
    raise(kSignal);
    CHECK(Received(watch.pair) == "UU");
    UnwatchSignal(kSignal, watch.pair.b);
    CHECK(HasHandler(kSignal, SIG_DFL));
    CHECK_EQ(UnwatchSignal(kSignal, watch.pair.b), 0);
    CHECK_EQ(ReleaseSignal(kSignal, watch.pair.b), 0);
    CHECK_EQ(ReleaseSignal(kSignal, watch.pair.b), -ENOENT);
  }
  CHECK(HasHandler(kSignal, SIG_DFL));
}

TEST(BytesKeepTheOrderOfArrivals) {
  SocketPair pair;
  for (const int signal : {SIGUSR1, SIGUSR2}) {
    CHECK_EQ(ReserveSignal(signal, pair.b, &kOwner), 0);
    CHECK_EQ(WatchSignal(signal, pair.b, false), 0);
  }
  for (const int signal : {SIGUSR2, SIGUSR1, SIGUSR2}) raise(signal);
  CHECK(Received(pair) == "VUV");
  ForgetSignals(&kOwner);
}

TEST(NumbersAreChecked) {
  SocketPair pair;
  for (const int number : {0, -1, 129, 1 << 30, -(1 << 30)}) {
    CHECK_EQ(IsSignal(number), 0);
    CHECK_EQ(ReserveSignal(number, pair.b, &kOwner), -EINVAL);
    CHECK_EQ(WatchSignal(number, pair.b, false), -EINVAL);
    CHECK_EQ(UnwatchSignal(number, pair.b), -EINVAL);
    CHECK_EQ(ReleaseSignal(number, pair.b), -EINVAL);
    CHECK_EQ(TakeMissedSignals(number, pair.b), -EINVAL);
  }
  CHECK_EQ(ReserveSignal(kSignal, -1, &kOwner), -EBADF);
  CHECK_EQ(IsSignal(SIGKILL), 1);
  CHECK_EQ(ReserveSignal(SIGKILL, pair.b, &kOwner), -EINVAL);
  CHECK_EQ(ReserveSignal(SIGSTOP, pair.b, &kOwner), -EINVAL);
  CHECK_EQ(WatchSignal(SIGKILL, pair.b, false), -ENOENT);
#ifdef __GLIBC__
  // Its own, for threads.
  CHECK_EQ(IsSignal(32), 0);
  CHECK_EQ(IsSignal(SIGRTMIN), 1);
  CHECK_EQ(IsSignal(SIGRTMAX), 1);
#endif
}

TEST(WhoIsThereTwiceIsRefused) {
  Watch watch;
  CHECK_EQ(ReserveSignal(kSignal, watch.pair.b, &kOwner), -EEXIST);
}

TEST(TheHostsHandlerIsCalledAndStays) {
  SocketPair pair;
  CHECK_EQ(ReserveSignal(kSignal, pair.b, &kOwner), 0);
  SetHandler(kSignal, CountPlain);
  CHECK_EQ(WatchSignal(kSignal, pair.b, false), 0);
  plain_calls = 0;
  raise(kSignal);
  CHECK_EQ(plain_calls, 1);
  CHECK(Received(pair) == "U");
  CHECK_EQ(UnwatchSignal(kSignal, pair.b), 0);
  CHECK(HasHandler(kSignal, CountPlain));
  // Somebody else listens by now: the host leaves it where it is, and so do we.
  CHECK_EQ(ReleaseSignal(kSignal, pair.b), 0);
  CHECK(HasHandler(kSignal, CountPlain));
  SetHandler(kSignal, SIG_DFL);
}

TEST(AHostsHandlerThatWasThereBeforeIsCalled) {
  SetHandler(kSignal, CountPlain);
  {
    Watch watch(kSignal, true);
    plain_calls = 0;
    raise(kSignal);
    CHECK_EQ(plain_calls, 1);
    CHECK(Received(watch.pair) == "U");
    UnwatchSignal(kSignal, watch.pair.b);
    CHECK(HasHandler(kSignal, CountPlain));
    // The host takes it away: that is not undone.
    SetHandler(kSignal, SIG_DFL);
  }
  CHECK(HasHandler(kSignal, SIG_DFL));
}

TEST(AHandlerIsToldTheDetails) {
  SocketPair pair;
  CHECK_EQ(ReserveSignal(kSignal, pair.b, &kOwner), 0);
  struct sigaction action = {};
  action.sa_sigaction = CountInfo;
  action.sa_flags = SA_SIGINFO;
  sigaction(kSignal, &action, nullptr);
  CHECK_EQ(WatchSignal(kSignal, pair.b, false), 0);
  info_calls = 0;
  raise(kSignal);
  CHECK_EQ(info_calls, 1);
  CHECK(Received(pair) == "U");
  ForgetSignals(&kOwner);
  SetHandler(kSignal, SIG_DFL);
}

TEST(NoOtherSignalInterruptsTheHostsHandler) {
  SetHandler(kSignal, RaiseTheOther);
  SetHandler(SIGUSR2, CountPlain);
  {
    Watch watch(kSignal, true);
    plain_calls = 0;
    calls_during = -1;
    raise(kSignal);
    CHECK_EQ(calls_during, 0);
    CHECK_EQ(plain_calls, 1);
  }
  SetHandler(kSignal, SIG_DFL);
  SetHandler(SIGUSR2, SIG_DFL);
}

TEST(AStrangersHandlerIsReplacedAndPutBack) {
  SetHandler(kSignal, CountPlain);
  {
    SocketPair pair;
    CHECK_EQ(ReserveSignal(kSignal, pair.b, &kOwner), 0);
    SetHandler(kSignal, SpoilErrno);
    CHECK_EQ(WatchSignal(kSignal, pair.b, true), 0);
    plain_calls = 0;
    errno = EDOM;
    raise(kSignal);
    CHECK_EQ(errno, EDOM);
    CHECK_EQ(plain_calls, 0);
    CHECK_EQ(UnwatchSignal(kSignal, pair.b), 0);
    SetHandler(kSignal, SIG_DFL);
    CHECK_EQ(ReleaseSignal(kSignal, pair.b), 0);
  }
  CHECK(HasHandler(kSignal, CountPlain));
  {
    // No host at all.
    Watch watch;
    raise(kSignal);
    CHECK_EQ(plain_calls, 0);
    CHECK(Received(watch.pair) == "U");
  }
  CHECK(HasHandler(kSignal, CountPlain));
  SetHandler(kSignal, SIG_DFL);
}

TEST(AnIgnoredSignalIsIgnoredAgain) {
  SetHandler(kSignal, SIG_IGN);
  {
    Watch watch;
    raise(kSignal);
    CHECK(Received(watch.pair) == "U");
  }
  CHECK(HasHandler(kSignal, SIG_IGN));
  SetHandler(kSignal, SIG_DFL);
}

TEST(WhoReplacesOursIsLeftAloneAndIsBelowAtTheNextWatch) {
  {
    Watch watch;
    SetHandler(kSignal, CountPlain);
    plain_calls = 0;
    raise(kSignal);
    CHECK(Received(watch.pair) == "");
    CHECK_EQ(WatchSignal(kSignal, watch.pair.b, false), 0);
    raise(kSignal);
    CHECK(Received(watch.pair) == "U");
    CHECK_EQ(plain_calls, 2);
    SetHandler(kSignal, SpoilErrno);
  }
  CHECK(HasHandler(kSignal, SpoilErrno));
  SetHandler(kSignal, SIG_DFL);
}

TEST(TheLastOneIsTold) {
  Watch first;
  {
    Watch second;
    raise(kSignal);
    CHECK(Received(first.pair) == "");
    CHECK(Received(second.pair) == "U");
    CHECK_EQ(WatchSignal(kSignal, first.pair.b, false), 0);
    raise(kSignal);
    CHECK(Received(first.pair) == "U");
    CHECK(Received(second.pair) == "");
    CHECK_EQ(WatchSignal(kSignal, second.pair.b, false), 0);
  }
  raise(kSignal);
  CHECK(Received(first.pair) == "U");
}

TEST(WhatFindsTheSocketFullIsCounted) {
  Watch watch;
  int sent = 0;
  for (const char byte = 0; Put(watch.pair.b, &byte, 1);) ++sent;
  CHECK(sent > 0);
  raise(kSignal);
  raise(kSignal);
  CHECK_EQ(TakeMissedSignals(kSignal, watch.pair.a), 0);
  CHECK_EQ(TakeMissedSignals(kSignal, watch.pair.b), 2);
  CHECK_EQ(TakeMissedSignals(kSignal, watch.pair.b), 0);
  CHECK_EQ(static_cast<int>(Received(watch.pair).size()), sent);
  raise(kSignal);
  CHECK(Received(watch.pair) == "U");
  CHECK_EQ(TakeMissedSignals(kSignal, watch.pair.b), 0);
}

TEST(AnOwnerIsForgottenWithAllThatItHas) {
  const char other = 0;
  Watch kept;
  SocketPair pair;
  for (const int signal : {SIGUSR1, SIGUSR2}) {
    CHECK_EQ(ReserveSignal(signal, pair.b, &other), 0);
    CHECK_EQ(WatchSignal(signal, pair.b, false), 0);
  }
  ForgetSignals(&other);
  CHECK(HasHandler(SIGUSR2, SIG_DFL));
  raise(kSignal);
  CHECK(Received(kept.pair) == "U");
  CHECK(Received(pair) == "");
  CHECK_EQ(UnwatchSignal(SIGUSR2, pair.b), -ENOENT);
}

namespace {

// Unlike a Thread, it takes signals.
struct PlainThread {
  pthread_t thread;

  int Start(void* (*start)(void*), void* data) { return pthread_create(&thread, nullptr, start, data); }
  void Join() { pthread_join(thread, nullptr); }
};

struct Reading {
  int fd;
  std::atomic<bool> has_begun{false};
  int answer = 0;

  static void* Main(void* data) {
    auto* self = static_cast<Reading*>(data);
    char byte;
    self->has_begun = true;
    self->answer = static_cast<int>(read(self->fd, &byte, 1));
    return nullptr;
  }
};

struct Raising {
  std::atomic<bool> goes_on{true};
  std::atomic<int> count{0};

  static void* Main(void* data) {
    auto* self = static_cast<Raising*>(data);
    for (; self->goes_on; ++self->count) pthread_kill(pthread_self(), SIGURG);
    return nullptr;
  }
};

}  // namespace

TEST(CallsThatAreInterruptedGoOn) {
  Watch watch;
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  Reading reading = {ends[0]};
  PlainThread thread;
  CHECK_EQ(thread.Start(Reading::Main, &reading), 0);
  while (!reading.has_begun) Pause(100 * 1000);
  // Some come while it waits, whenever that begins.
  for (int i = 0; i < 10; ++i) {
    pthread_kill(thread.thread, kSignal);
    CHECK(WaitReadable(watch.pair.a));
    CHECK(Received(watch.pair) == "U");
    Pause(1000 * 1000);
  }
  CHECK_EQ(write(ends[1], "x", 1), 1);
  thread.Join();
  CHECK_EQ(reading.answer, 1);
  close(ends[0]);
  close(ends[1]);
}

TEST(NoByteIsSentAfterUnwatchWhateverOtherThreadsDo) {
  constexpr int kThreads = 2;
  // A signal that is ignored by default: between two watches it does nothing.
  Raising raising[kThreads];
  PlainThread threads[kThreads];
  for (int i = 0; i < kThreads; ++i) CHECK_EQ(threads[i].Start(Raising::Main, &raising[i]), 0);
  int received = 0;
  for (int round = 0; round < 600; ++round) {
    SocketPair pair;
    CHECK_EQ(ReserveSignal(SIGURG, pair.b, &kOwner), 0);
    CHECK_EQ(WatchSignal(SIGURG, pair.b, false), 0);
    CHECK(WaitReadable(pair.a));
    CHECK_EQ(UnwatchSignal(SIGURG, pair.b), 0);
    received += static_cast<int>(Received(pair).size());
    // Nobody is on the way to it.
    for (int i = 0; i < 10; ++i) CHECK(Received(pair) == "");
    CHECK_EQ(ReleaseSignal(SIGURG, pair.b), 0);
  }
  for (int i = 0; i < kThreads; ++i) {
    raising[i].goes_on = false;
    threads[i].Join();
    CHECK(raising[i].count > 0);
  }
  CHECK(received >= 600);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
