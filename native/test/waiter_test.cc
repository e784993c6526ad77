// waiter_test.cc: the waiting thread, on the selector that the first argument names.
#include "selector/waiter.h"

#include <string.h>

#include <atomic>
#include <memory>

#include "selector/registry.h"
#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

constexpr int64_t kMs = 1000 * 1000;

bool Is(const char* name) { return strcmp(CurrentRun().argument, name) == 0; }

// Whether a hang-up is reported to who waits for no direction.
bool TellsHangUpsUnasked() { return Is("epoll") || Is("poll"); }

// A selector with a waiter on it, which hears of changed interests as the bridge would make it hear.
struct Subject final : SelectorObserver {
  std::unique_ptr<Selector> selector;
  Waiter waiter;
  std::atomic<int> reports{0};
  std::atomic<uint32_t> last_ticket{0};

  Subject() {
    if (CreateSelector(CurrentRun().argument, &selector) != 0) _exit(2);
    if (waiter.Start(selector.get(), OnReport, this) != 0) _exit(2);
    selector->AddObserver(this);
  }
  ~Subject() { selector->Close(); }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  void InterestsChanged() override { waiter.InterestsChanged(); }
  void SelectorClosing() override { waiter.Stop(); }

  static void OnReport(void* data, uint32_t ticket) {
    auto* subject = static_cast<Subject*>(data);
    subject->last_ticket = ticket;
    ++subject->reports;
  }

  // Waits for as many reports, and a little longer for any too many.
  int ReportsAfter(int wanted) {
    for (int i = 0; i < 400 && reports < wanted; ++i) Pause(5 * kMs);
    Pause(20 * kMs);
    return reports;
  }
};

}  // namespace

TEST(ReportsOncePerArm) {
  Subject subject;
  SocketPair pair;
  CHECK_EQ(subject.selector->Add(pair.a, kRead), 0);
  Put(pair.b, "x", 1);
  CHECK_EQ(subject.ReportsAfter(0), 0);
  subject.waiter.Arm(1);
  CHECK_EQ(subject.ReportsAfter(1), 1);
  subject.waiter.Arm(2);
  CHECK_EQ(subject.ReportsAfter(2), 2);
  CHECK_EQ(subject.last_ticket, 2);
}

// Where Wait tells nothing of a hang-up to who waits for priority alone, the waiter must not report it for
// ever.
TEST(HangUpOfAPriorityEntryIsReportedWhereWaitReportsIt) {
  Subject subject;
  SocketPair pair;
  CHECK_EQ(subject.selector->Add(pair.a, kPriority), 0);
  subject.waiter.Arm(1);
  pair.CloseB();
  const int wanted = TellsHangUpsUnasked() ? 1 : 0;
  CHECK_EQ(subject.ReportsAfter(wanted), wanted);
  Event event;
  CHECK_EQ(subject.selector->Wait(0, &event, 1), wanted);
}

TEST(ReportsWhatBecomesReadyLater) {
  Subject subject;
  SocketPair pair;
  CHECK_EQ(subject.selector->Add(pair.a, kRead), 0);
  subject.waiter.Arm(1);
  CHECK_EQ(subject.ReportsAfter(0), 0);
  Put(pair.b, "x", 1);
  CHECK_EQ(subject.ReportsAfter(1), 1);
}

TEST(SeesInterestsThatChangeWhileArmed) {
  Subject subject;
  SocketPair pair;
  subject.waiter.Arm(1);
  CHECK_EQ(subject.ReportsAfter(0), 0);
  CHECK_EQ(subject.selector->Add(pair.a, kRead), 0);
  CHECK_EQ(subject.ReportsAfter(0), 0);
  CHECK_EQ(subject.selector->Modify(pair.a, kRead | kWrite), 0);
  CHECK_EQ(subject.ReportsAfter(1), 1);
}

TEST(ForgetsWhatIsRemovedWhileArmed) {
  Subject subject;
  SocketPair pair;
  CHECK_EQ(subject.selector->Add(pair.a, kRead), 0);
  subject.waiter.Arm(1);
  CHECK_EQ(subject.ReportsAfter(0), 0);
  CHECK_EQ(subject.selector->Remove(pair.a), 0);
  Pause(20 * kMs);
  Put(pair.b, "x", 1);
  CHECK_EQ(subject.ReportsAfter(0), 0);
}

TEST(DisarmedIsSilent) {
  Subject subject;
  SocketPair pair;
  CHECK_EQ(subject.selector->Add(pair.a, kRead), 0);
  subject.waiter.Arm(1);
  Pause(10 * kMs);
  subject.waiter.Disarm();
  Put(pair.b, "x", 1);
  CHECK_EQ(subject.ReportsAfter(0), 0);
  subject.waiter.Arm(2);
  CHECK_EQ(subject.ReportsAfter(1), 1);
  CHECK_EQ(subject.last_ticket, 2);
}

TEST(NoReportIsLostOrDoubled) {
  Subject subject;
  SocketPair pair;
  CHECK_EQ(subject.selector->Add(pair.a, kRead), 0);
  for (int i = 1; i <= 2000; ++i) {
    subject.waiter.Arm(static_cast<uint32_t>(i));
    if (i % 3 == 0) CHECK_EQ(subject.selector->Modify(pair.a, kRead), 0);
    CHECK(Put(pair.b, "x", 1));
    for (int64_t start = NowNs(); subject.reports < i && NowNs() - start < 2000 * kMs;)
      std::this_thread::yield();
    CHECK_EQ(subject.reports, i);
    char byte;
    CHECK_EQ(Take(pair.a, &byte, 1), 1);
  }
}

// A watch on something that has only hung up must not spin where Wait says nothing.
TEST(HangUpWithoutInterestIsNoBusyLoop) {
  Subject subject;
  SocketPair pair;
  CHECK_EQ(subject.selector->Add(pair.a, 0), 0);
  subject.waiter.Arm(1);
  pair.CloseB();
  const int wanted = TellsHangUpsUnasked() ? 1 : 0;
  CHECK_EQ(subject.ReportsAfter(wanted), wanted);
}

TEST(ErrorsCountAsReadiness) {
  Subject subject;
  SocketPair pair;
  if (Is("epoll") || Is("kqueue") || Is("iocp")) return;
  const int fd = pair.a;
  CHECK_EQ(subject.selector->Add(fd, kRead), 0);
  pair.CloseA();
  subject.waiter.Arm(1);
  CHECK_EQ(subject.ReportsAfter(1), 1);
}

TEST(StopsWhileWaiting) {
  for (int i = 0; i < 50; ++i) {
    Subject subject;
    subject.waiter.Arm(1);
    if (i % 2 == 0) Pause(1 * kMs);
    subject.waiter.Stop();
    subject.waiter.Stop();
    CHECK_EQ(subject.reports, 0);
  }
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
