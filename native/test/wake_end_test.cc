// wake_end_test.cc: wakes from many threads: none is lost, none goes to a stranger.
#include "socket/wake_end.h"

#include "base/thread.h"
#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

// A loop's side of a wake end.
struct Subject {
  SocketPair pair;
  int fd = DuplicateSocket(pair.b);
  int32_t state[kWakeStateLength] = {};

  int Bytes() {
    char bytes[4096];
    int total = 0;
    for (int n; (n = Take(pair.a, bytes, sizeof bytes)) > 0;) total += n;
    return total;
  }
  int TakeCount() { return __atomic_exchange_n(&state[1], 0, __ATOMIC_SEQ_CST); }
};

struct Waking {
  Subject* subject;
  int wanted;    // Wakes to do; negative: until refused.
  int done = 0;  // Wakes that counted.

  static void Main(void* data) {
    auto* self = static_cast<Waking*>(data);
    while (self->done != self->wanted && Wake(self->subject->fd, self->subject->state) == 1) ++self->done;
  }
};

}  // namespace

TEST(OneByteForManyWakes) {
  Subject subject;
  for (int i = 0; i < 100; ++i) CHECK_EQ(Wake(subject.fd, subject.state), 1);
  CHECK(WaitReadable(subject.pair.a));
  CHECK_EQ(subject.Bytes(), 1);
  CHECK_EQ(subject.TakeCount(), 100);
  CHECK_EQ(Wake(subject.fd, subject.state), 1);
  CHECK(WaitReadable(subject.pair.a));
  CHECK_EQ(subject.Bytes(), 1);
  CHECK_EQ(CloseWakeEnd(subject.fd, subject.state), 0);
}

TEST(NothingIsWrittenAfterClose) {
  Subject subject;
  CHECK_EQ(CloseWakeEnd(subject.fd, subject.state), 0);
  CHECK(!IsOpenSocket(subject.fd));
  // Somebody else gets the number.
  const int stranger = DuplicateSocket(subject.pair.b);
  CHECK_EQ(stranger, subject.fd);
  CHECK_EQ(Wake(subject.fd, subject.state), 0);
  CHECK_EQ(CloseWakeEnd(subject.fd, subject.state), -EBADF);
  CHECK_EQ(subject.Bytes(), 0);
  CHECK(IsOpenSocket(stranger));
  CloseDescriptor(stranger);
}

TEST(NoWakeOfManyThreadsIsLost) {
  constexpr int kThreads = 4;
  constexpr int kWakes = 20000;
  Subject subject;
  Waking wakings[kThreads];
  Thread threads[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    wakings[i].subject = &subject;
    wakings[i].wanted = kWakes;
    CHECK_EQ(threads[i].Start(Waking::Main, &wakings[i]), 0);
  }
  int total = 0;
  // As a loop does: wait for a byte, drain, and only then take the count.
  while (total < kThreads * kWakes) {
    CHECK(WaitReadable(subject.pair.a));
    subject.Bytes();
    total += subject.TakeCount();
  }
  for (Thread& thread : threads) thread.Join();
  CHECK_EQ(total, kThreads * kWakes);
  CHECK_EQ(subject.TakeCount(), 0);
  CloseWakeEnd(subject.fd, subject.state);
}

TEST(CloseWhileOthersWake) {
  constexpr int kThreads = 4;
  for (int round = 0; round < 50; ++round) {
    Subject subject;
    Waking wakings[kThreads];
    Thread threads[kThreads];
    for (int i = 0; i < kThreads; ++i) {
      wakings[i].subject = &subject;
      wakings[i].wanted = -1;
      CHECK_EQ(threads[i].Start(Waking::Main, &wakings[i]), 0);
    }
    for (int64_t start = NowNs(); NowNs() - start < 200 * 1000;) {
    }
    CHECK_EQ(CloseWakeEnd(subject.fd, subject.state), 0);
    int done = 0;
    for (int i = 0; i < kThreads; ++i) {
      threads[i].Join();
      done += wakings[i].done;
    }
    // Closed, whoever was the last to use it, and every accepted wake was counted.
    CHECK(!IsOpenSocket(subject.fd));
    CHECK_EQ(subject.TakeCount(), done);
  }
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
