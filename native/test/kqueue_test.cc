// kqueue_test.cc: what only kqueue does, against a scripted kernel: filters, receipts, refusals, the meaning
// of EV_EOF, reports that come too late. The contract that all selectors share is selector_test.cc's.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>

#include <memory>
#include <utility>

#include "selector/registry.h"
#include "test/harness.h"
#include "test/kqueue/scripted_kqueue.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

std::unique_ptr<Selector> Make() {
  ResetKernel();
  std::unique_ptr<Selector> selector;
  if (MakeKqueue(&selector) != 0) _exit(2);
  return selector;
}

// What the kernel would say of a filter of a descriptor, given the change that has made it.
struct kevent Report(const struct kevent& change, unsigned short flags = 0) {
  struct kevent report = change;
  report.flags = flags;
  return report;
}

// The last change that was made to a filter.
struct kevent LastChange(short filter) {
  struct kevent last = {};
  for (const struct kevent& change : Kernel().changes) {
    if (change.filter == filter) last = change;
  }
  return last;
}

bool HasFilter(int kq, int fd, short filter) {
  struct kevent change = {};
  change.ident = static_cast<uintptr_t>(fd);
  change.filter = filter;
  change.flags = EV_ENABLE | EV_RECEIPT;
  struct kevent receipt;
  const timespec now = {};
  return kevent(kq, &change, 1, &receipt, 1, &now) == 1 && receipt.data == 0;
}

}  // namespace

TEST(EachDirectionIsAFilter) {
  for (const int mask : {kRead, kWrite, kRead | kWrite}) {
    auto selector = Make();
    SocketPair pair;
    CHECK_EQ(selector->Add(pair.a, mask), 0);
    CHECK_EQ(Kernel().change_calls, 1);
    CHECK_EQ(HasFilter(selector->Fd(), pair.a, EVFILT_READ), (mask & kRead) != 0);
    CHECK_EQ(HasFilter(selector->Fd(), pair.a, EVFILT_WRITE), (mask & kWrite) != 0);
  }
}

TEST(FiltersAreLevelTriggeredAndChangesAreReceipted) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead | kWrite), 0);
  CHECK_EQ(Kernel().changes.size(), 2);
  for (const struct kevent& change : Kernel().changes) CHECK_EQ(change.flags, EV_ADD | EV_RECEIPT);
}

TEST(ModifyAddsAndDeletesWhatDiffers) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(selector->Modify(pair.a, kRead | kWrite), 0);
  CHECK_EQ(LastChange(EVFILT_READ).flags, EV_ENABLE | EV_RECEIPT);
  CHECK_EQ(LastChange(EVFILT_WRITE).flags, EV_ADD | EV_RECEIPT);
  CHECK_EQ(selector->Modify(pair.a, kWrite), 0);
  CHECK_EQ(LastChange(EVFILT_READ).flags, EV_DELETE | EV_RECEIPT);
  CHECK_EQ(LastChange(EVFILT_WRITE).flags, EV_ENABLE | EV_RECEIPT);
  CHECK(!HasFilter(selector->Fd(), pair.a, EVFILT_READ));
  CHECK(HasFilter(selector->Fd(), pair.a, EVFILT_WRITE));
}

TEST(RemoveDeletesBothFilters) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead | kWrite), 0);
  CHECK_EQ(selector->Remove(pair.a), 0);
  CHECK(!HasFilter(selector->Fd(), pair.a, EVFILT_READ));
  CHECK(!HasFilter(selector->Fd(), pair.a, EVFILT_WRITE));
}

TEST(EdgeIsAModeOfNewFilters) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead | kEdge), 0);
  CHECK_EQ(LastChange(EVFILT_READ).flags, EV_ADD | EV_CLEAR | EV_RECEIPT);
  CHECK_EQ(selector->Modify(pair.a, kRead), 0);
  CHECK_EQ(LastChange(EVFILT_READ).flags, EV_ADD | EV_RECEIPT);
  Put(pair.b, "x", 1);
  Event event;
  for (int i = 0; i < 2; ++i) CHECK_EQ(selector->Wait(0, &event, 1), 1);
}

TEST(RefusedSecondFilterTakesTheFirstOneBack) {
  auto selector = Make();
  SocketPair pair;
  Kernel().refusals = {{EVFILT_WRITE, EV_ADD, ENOMEM}};
  CHECK_EQ(selector->Add(pair.a, kRead | kWrite), -ENOMEM);
  CHECK(!HasFilter(selector->Fd(), pair.a, EVFILT_READ));
  CHECK_EQ(selector->Remove(pair.a), -ENOENT);
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
}

TEST(RefusedModifyLeavesNoFilter) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  Kernel().refusals = {{EVFILT_WRITE, EV_ADD, ENOMEM}};
  CHECK_EQ(selector->Modify(pair.a, kRead | kWrite), -ENOMEM);
  CHECK(!HasFilter(selector->Fd(), pair.a, EVFILT_READ));
  CHECK_EQ(selector->Modify(pair.a, kRead), -ENOENT);
}

// The filter is there in spite of the answer.
TEST(BrokenPipeAtAddIsNoRefusal) {
  auto selector = Make();
  SocketPair pair;
  Kernel().refusals = {{EVFILT_WRITE, EV_ADD, EPIPE, true}};
  CHECK_EQ(selector->Add(pair.a, kWrite), 0);
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kWrite);
}

TEST(FilterThatIsGoneCanBeRemoved) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead | kWrite), 0);
  Kernel().refusals = {{EVFILT_READ, EV_DELETE, ENOENT}};
  CHECK_EQ(selector->Remove(pair.a), 0);
  CHECK(!HasFilter(selector->Fd(), pair.a, EVFILT_WRITE));
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
}

TEST(InterruptedChangesAreMadeOnce) {
  auto selector = Make();
  SocketPair pair;
  Kernel().interrupts_changes = true;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(Kernel().change_calls, 1);
  Put(pair.b, "x", 1);
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  Kernel().interrupts_changes = true;
  CHECK_EQ(selector->Remove(pair.a), 0);
  CHECK_EQ(Kernel().change_calls, 2);
  CHECK(!HasFilter(selector->Fd(), pair.a, EVFILT_READ));
}

TEST(InterruptedWaitIsEmpty) {
  auto selector = Make();
  Kernel().interrupts_wait = true;
  Event event;
  CHECK_EQ(selector->Wait(-1, &event, 1), 0);
}

TEST(ReportsOfOneDescriptorAreMerged) {
  auto selector = Make();
  SocketPair first, second;
  CHECK_EQ(selector->Add(first.a, kRead | kWrite), 0);
  const struct kevent reader = LastChange(EVFILT_READ), writer = LastChange(EVFILT_WRITE);
  CHECK_EQ(selector->Add(second.a, kRead), 0);
  const struct kevent other = LastChange(EVFILT_READ);
  Kernel().said = {{Report(writer), Report(other), Report(reader)}};
  Event events[2];
  CHECK_EQ(selector->Wait(0, events, 2), 2);
  CHECK_EQ(events[0].fd, first.a);
  CHECK_EQ(events[0].mask, kRead | kWrite);
  CHECK_EQ(events[1].fd, second.a);
  CHECK_EQ(events[1].mask, kRead);
}

TEST(DirectionsThatComeInTwoWaitsAreTwoEntries) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead | kWrite), 0);
  Kernel().said = {{Report(LastChange(EVFILT_READ))}, {Report(LastChange(EVFILT_WRITE))}};
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kRead);
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kWrite);
}

TEST(RoomIsForAllFiltersAndNeverNone) {
  auto selector = Make();
  SocketPair first, second;
  Event events[8];
  CHECK_EQ(selector->Wait(0, events, 8), 0);
  CHECK_EQ(Kernel().last_room, 1);
  CHECK_EQ(selector->Add(first.a, kRead | kWrite), 0);
  CHECK_EQ(selector->Add(second.a, kRead | kWrite), 0);
  CHECK_EQ(selector->Wait(0, events, 2), 2);
  CHECK_EQ(Kernel().last_room, 4);
  CHECK_EQ(selector->Wait(0, events, 1), 1);
  CHECK_EQ(Kernel().last_room, 1);
  CHECK_EQ(selector->Modify(first.a, kRead), 0);
  CHECK_EQ(selector->Remove(second.a), 0);
  CHECK_EQ(selector->Wait(0, events, 8), 0);
  CHECK_EQ(Kernel().last_room, 1);
}

TEST(LimitsAreExactAndClamped) {
  auto selector = Make();
  Event event;
  const int64_t second = 1000 * 1000 * 1000;
  Kernel().said = {{}, {}, {}, {}};
  CHECK_EQ(selector->Wait(-1, &event, 1), 0);
  CHECK(!Kernel().last_had_limit);
  CHECK_EQ(selector->Wait(1, &event, 1), 0);
  CHECK(Kernel().last_had_limit);
  CHECK_EQ(Kernel().last_limit.tv_sec, 0);
  CHECK_EQ(Kernel().last_limit.tv_nsec, 1);
  CHECK_EQ(selector->Wait(3 * second + 5, &event, 1), 0);
  CHECK_EQ(Kernel().last_limit.tv_sec, 3);
  CHECK_EQ(Kernel().last_limit.tv_nsec, 5);
  CHECK_EQ(selector->Wait(INT64_MAX, &event, 1), 0);
  CHECK_EQ(Kernel().last_limit.tv_sec, INT_MAX / 1000);
}

// Bytes may be left before the end, and the other direction is none of its business.
TEST(EndOfInputIsReadableOnly) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead | kWrite), 0);
  Kernel().said = {{Report(LastChange(EVFILT_READ), EV_EOF)}};
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kRead);
}

// It cannot be masked, nor taken: only who leaves hears no more of it.
TEST(EndIsReportedUntilItIsRemoved) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(shutdown(pair.b, SHUT_WR), 0);
  char byte;
  for (int i = 0; i < 3; ++i) {
    CHECK_EQ(selector->Wait(0, &event, 1), 1);
    CHECK_EQ(event.mask, kRead);
    CHECK_EQ(Take(pair.a, &byte, 1), 0);
  }
  CHECK_EQ(selector->Modify(pair.a, kWrite), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kWrite);
  CHECK_EQ(selector->Remove(pair.a), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
}

// Also after our own shutdown: writable, not dead.
TEST(EndOfOutputIsWritableOnly) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead | kWrite), 0);
  Kernel().said = {{Report(LastChange(EVFILT_WRITE), EV_EOF)}};
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kWrite);
}

TEST(RefusedConnectionIsWritable) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kWrite), 0);
  struct kevent report = Report(LastChange(EVFILT_WRITE), EV_EOF);
  report.fflags = ECONNREFUSED;
  Kernel().said = {{report}};
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kWrite);
}

TEST(ErrorInAWaitIsBothDirections) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  struct kevent report = Report(LastChange(EVFILT_READ), EV_ERROR);
  report.data = ENXIO;
  Kernel().said = {{report}};
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kRead | kWrite);
}

TEST(ReportOfAnEarlierRegistrationIsDropped) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  const struct kevent late = Report(LastChange(EVFILT_READ));
  CHECK_EQ(selector->Remove(pair.a), 0);
  Kernel().said = {{late}};
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  Kernel().said = {{late}};
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  Kernel().said = {{Report(LastChange(EVFILT_READ))}};
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
}

TEST(ModifyKeepsTheRegistration) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(selector->Modify(pair.a, kRead | kWrite), 0);
  Kernel().said = {{Report(LastChange(EVFILT_READ)), Report(LastChange(EVFILT_WRITE))}};
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(event.mask, kRead | kWrite);
}

// A close takes the filters away; the number may mean another file when the mask is changed.
TEST(ModifyDoesNotTakeTheNewFileForTheOldOne) {
  for (const int mask : {kRead, kWrite, kRead | kWrite, kRead | kEdge}) {
    auto selector = Make();
    SocketPair old_pair, new_pair;
    const int fd = old_pair.a;
    CHECK_EQ(selector->Add(fd, kRead), 0);
    old_pair.CloseA();
    CHECK_EQ(dup2(new_pair.a, fd), fd);
    CHECK_EQ(selector->Modify(fd, mask), -ENOENT);
    CHECK(!HasFilter(selector->Fd(), fd, EVFILT_READ));
    CHECK(!HasFilter(selector->Fd(), fd, EVFILT_WRITE));
    CHECK_EQ(selector->Add(fd, kRead), 0);
    close(fd);
  }
}

TEST(DescriptorThatIsNotOpenIsRefused) {
  auto selector = Make();
  SocketPair pair;
  const int fd = pair.a;
  pair.CloseA();
  CHECK_EQ(selector->Add(fd, kRead), -EBADF);
  CHECK_EQ(selector->Remove(fd), -ENOENT);
}

// macOS does so with terminals and /dev/null; FilesThatAreAlwaysReadyAreRefused is the contract's.
TEST(DeviceThatTheKernelRefusesIsRefused) {
  auto selector = Make();
  SocketPair pair;
  Kernel().refusals = {{EVFILT_READ, EV_ADD, EINVAL}};
  CHECK_EQ(selector->Add(pair.a, kRead), -EINVAL);
  CHECK_EQ(selector->Remove(pair.a), -ENOENT);
}

TEST(FilesAreRefusedWithoutAskingTheKernel) {
  auto selector = Make();
  const int fd = open("/", O_RDONLY | O_CLOEXEC);
  CHECK_EQ(selector->Add(fd, kRead), -EPERM);
  CHECK_EQ(Kernel().change_calls, 0);
  close(fd);
}

TEST(NoDescriptorLeftIsAnError) {
  ResetKernel();
  Kernel().failing_kqueue = EMFILE;
  std::unique_ptr<Selector> selector;
  CHECK_EQ(MakeKqueue(&selector), -EMFILE);
  CHECK(selector == nullptr);
  ResetKernel();
}

TEST(OwnDescriptorTellsReadinessAndIsNotInherited) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(fcntl(selector->Fd(), F_GETFD), FD_CLOEXEC);
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  pollfd polled = {selector->Fd(), POLLIN, 0};
  CHECK_EQ(poll(&polled, 1, 0), 0);
  Put(pair.b, "x", 1);
  CHECK_EQ(poll(&polled, 1, 0), 1);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
