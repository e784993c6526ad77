// iocp_test.cc: what is particular about a completion port with AFD: one-shot requests that outlive their
// socket, answers that are outdated, threads that share the port, connects, resets, providers in between.
#include <errno.h>

#include <atomic>
#include <memory>
#include <set>
#include <vector>

#include "base/thread.h"
#include "selector/afd.h"
#include "selector/registry.h"
#include "selector/waiter.h"
#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

constexpr int64_t kMs = 1000 * 1000;
constexpr int64_t kSoon = 10000 * kMs;  // For what has to come, if only after a few tries of the system.

std::unique_ptr<Selector> Make() {
  std::unique_ptr<Selector> selector;
  if (MakeIocp(&selector) != 0) _exit(2);
  return selector;
}

bool StartConnect(int fd, const sockaddr_in& address) {
  return connect(AsSocket(fd), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
         WSAGetLastError() == WSAEWOULDBLOCK;
}

int SocketError(int fd) {
  int error = -1;
  int length = sizeof error;
  getsockopt(AsSocket(fd), SOL_SOCKET, SO_ERROR, reinterpret_cast<char*>(&error), &length);
  return error;
}

// Another socket (see OpenEcho) with the number of one that has just been closed; none if it could not be
// had.
UniqueFd Reuse(int fd) {
  std::vector<UniqueFd> others;
  while (others.size() < 32) {
    UniqueFd opened = OpenEcho();
    if (opened.get() == fd) return opened;
    others.push_back(std::move(opened));
  }
  return UniqueFd();
}

bool IsUnderWine() { return GetProcAddress(GetModuleHandleW(L"ntdll"), "wine_get_version") != nullptr; }

void CloseWithReset(int* fd) {
  const linger at_once = {1, 0};
  setsockopt(AsSocket(*fd), SOL_SOCKET, SO_LINGER, reinterpret_cast<const char*>(&at_once), sizeof at_once);
  CloseDescriptor(*fd);
  *fd = -1;
}

// Of this process, by looking at each: wine does not know how many there are.
int OpenHandles() {
  constexpr uintptr_t kMost = 2048;
  int count = 0;
  for (uintptr_t number = 1; number <= kMost; ++number) {
    DWORD flags = 0;
    if (GetHandleInformation(reinterpret_cast<HANDLE>(4 * number), &flags)) ++count;
  }
  return count;
}

int64_t ThreadTimeNs() {
  FILETIME created, ended, kernel, user;
  GetThreadTimes(GetCurrentThread(), &created, &ended, &kernel, &user);
  const auto in_ns = [](const FILETIME& time) {
    return static_cast<int64_t>((uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime) * 100);
  };
  return in_ns(kernel) + in_ns(user);
}

}  // namespace

TEST(ConnectThatSucceedsIsWritable) {
  auto selector = Make();
  const UniqueFd listener = OpenNonBlocking(SOCK_STREAM);
  const UniqueFd client = OpenNonBlocking(SOCK_STREAM);
  sockaddr_in address;
  CHECK(ListenOnLoopback(listener.get(), &address));
  CHECK_EQ(selector->Add(listener.get(), kRead), 0);
  CHECK(StartConnect(client.get(), address));
  CHECK_EQ(selector->Add(client.get(), kWrite), 0);
  std::set<int> seen;
  Event events[2];
  while (seen.size() < 2) {
    const Result count = selector->Wait(kSoon, events, 2);
    CHECK(count > 0);
    for (Result i = 0; i < count; ++i) {
      CHECK_EQ(events[i].mask, events[i].fd == client.get() ? kWrite : kRead);
      seen.insert(events[i].fd);
    }
  }
  CHECK_EQ(SocketError(client.get()), 0);
}

TEST(RefusedConnectWakesEitherDirection) {
  const sockaddr_in nowhere = Nowhere(SOCK_STREAM);
  for (const int mask : {kRead, kWrite}) {
    auto selector = Make();
    const UniqueFd client = OpenNonBlocking(SOCK_STREAM);
    CHECK(StartConnect(client.get(), nowhere));
    CHECK_EQ(selector->Add(client.get(), mask), 0);
    Event event;
    CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
    CHECK_EQ(event.mask, kRead | kWrite);
    CHECK_EQ(SocketError(client.get()), WSAECONNREFUSED);
  }
}

// To a listener that nobody accepts from, until its queue is full.
TEST(ConnectThatGoesOnIsNotReported) {
  auto selector = Make();
  const UniqueFd listener(static_cast<int>(socket(AF_INET, SOCK_STREAM, 0)));
  sockaddr_in address;
  CHECK(ListenOnLoopback(listener.get(), &address));
  std::vector<UniqueFd> clients;
  Event event;
  Result count = 1;
  while (clients.size() < 300 && count == 1) {
    clients.push_back(OpenNonBlocking(SOCK_STREAM));
    CHECK(StartConnect(clients.back().get(), address));
    CHECK_EQ(selector->Add(clients.back().get(), kWrite), 0);
    count = selector->Wait(50 * kMs, &event, 1);
    if (count == 1) CHECK_EQ(event.mask, kWrite);
    CHECK_EQ(selector->Remove(clients.back().get()), 0);
  }
  CHECK_EQ(count, 0);
}

TEST(DataBeforeTheEndOfAStreamComesFirst) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK(Put(pair.b, "xy", 2));
  pair.CloseB();
  char byte;
  for (const int length : {1, 1, 0, 0}) {
    CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
    CHECK((event.mask & kRead) != 0);
    CHECK_EQ(Take(pair.a, &byte, 1), length);
  }
}

TEST(ResetOfAnIdleConnectionWakesEitherDirection) {
  for (const int mask : {kRead, kWrite}) {
    auto selector = Make();
    SocketPair pair;
    Event event;
    CHECK_EQ(selector->Add(pair.a, mask), 0);
    CHECK_EQ(selector->Wait(0, &event, 1), mask == kWrite ? 1 : 0);
    CloseWithReset(&pair.b);
    do {
      CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
    } while (event.mask == kWrite);
    CHECK_EQ(event.mask, kRead | kWrite);
  }
}

TEST(UrgentDataWakesNobodyWhoDidNotAsk) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK(Put(pair.b, "!", 1, MSG_OOB));
  CHECK_EQ(selector->Wait(20 * kMs, &event, 1), 0);
  CHECK_EQ(selector->Modify(pair.a, kRead | kPriority), 0);
  CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
  CHECK_EQ(event.mask, kPriority);
}

// Wine does not tell.
TEST(UnreachablePortOfADatagramWakesTheReader) {
  if (IsUnderWine()) return;
  auto selector = Make();
  const UniqueFd fd = OpenNonBlocking(SOCK_DGRAM);
  const sockaddr_in nowhere = Nowhere(SOCK_DGRAM);
  Event event;
  CHECK_EQ(connect(AsSocket(fd.get()), reinterpret_cast<const sockaddr*>(&nowhere), sizeof nowhere), 0);
  CHECK_EQ(selector->Add(fd.get(), kRead), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK(Put(fd.get(), "x", 1));
  CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
  CHECK((event.mask & kRead) != 0);
  char byte;
  CHECK_EQ(Take(fd.get(), &byte, 1), -1);
  const int error = WSAGetLastError();
  CHECK(error == WSAECONNRESET || error == WSAECONNREFUSED);
}

// With a request in flight each time: wider, narrower, other.
TEST(ModifiedTenThousandTimes) {
  auto selector = Make();
  SocketPair quiet;
  Event event;
  constexpr int kMasks[] = {kRead, kRead | kWrite, kRead, kWrite, kRead | kPriority, kPriority, 0};
  CHECK_EQ(selector->Add(quiet.a, kRead), 0);
  for (int i = 0; i < 10000; ++i) {
    const int mask = kMasks[i % 7];
    CHECK_EQ(selector->Modify(quiet.a, mask), 0);
    CHECK_EQ(selector->Wait(0, &event, 1), (mask & kWrite) != 0 ? 1 : 0);
    if ((mask & kWrite) != 0) CHECK_EQ(event.mask, kWrite);
  }
}

// What came and went between two waits is not reported.
TEST(OutdatedAnswersAreNotReported) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  char byte;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  for (int i = 0; i < 200; ++i) {
    CHECK_EQ(selector->Wait(0, &event, 1), 0);
    CHECK(Put(pair.b, "x", 1));
    CHECK_EQ(Take(pair.a, &byte, 1), 1);
  }
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
}

TEST(RemovedClosedAndUsedAgain) {
  auto selector = Make();
  Event events[4];
  for (int i = 0; i < 300; ++i) {
    SocketPair old_pair;
    const int fd = old_pair.a;
    CHECK_EQ(selector->Add(fd, kRead | (i % 2 == 0 ? kPriority : 0)), 0);
    CHECK_EQ(selector->Wait(0, events, 4), 0);
    CHECK_EQ(selector->Remove(fd), 0);
    old_pair.CloseA();
    const UniqueFd reused = Reuse(fd);
    CHECK(reused.IsOpen());
    CHECK_EQ(selector->Add(fd, kRead), 0);
    if (i % 3 == 0) CHECK_EQ(selector->Wait(0, events, 4), 0);
    CHECK(Put(fd, "x", 1));
    CHECK_EQ(selector->Wait(kSoon, events, 4), 1);
    CHECK_EQ(events[0].fd, fd);
    CHECK_EQ(selector->Remove(fd), 0);
  }
}

// Nobody removed it, but its number is free for a new registration, and the old mask is no part of it.
TEST(ClosedWhileAskedAboutAndUsedAgain) {
  auto selector = Make();
  Event event;
  for (int i = 0; i < 100; ++i) {
    SocketPair old_pair;
    const int fd = old_pair.a;
    CHECK_EQ(selector->Add(fd, kRead), 0);
    CHECK_EQ(selector->Wait(0, &event, 1), 0);
    old_pair.CloseA();
    const UniqueFd reused = Reuse(fd);
    CHECK(reused.IsOpen());
    if (i % 2 == 0) CHECK_EQ(selector->Modify(fd, kRead), -ENOENT);
    CHECK_EQ(selector->Add(fd, kWrite), 0);
    CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
    CHECK_EQ(event.mask, kWrite);
    CHECK_EQ(selector->Remove(fd), 0);
  }
}

// Reported and not asked about again, so that no request of it is in flight.
TEST(ClosedAfterAReportIsForgotten) {
  auto selector = Make();
  SocketPair pair;
  const int fd = pair.a;
  Event event;
  CHECK_EQ(selector->Add(fd, kWrite), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  pair.CloseA();
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(selector->Remove(fd), -ENOENT);
}

TEST(TwoSelectorsOnOneSocket) {
  auto one = Make();
  auto two = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(one->Add(pair.a, kRead), 0);
  CHECK_EQ(two->Add(pair.a, kRead | kPriority), 0);
  for (int i = 0; i < 50; ++i) {
    CHECK_EQ(one->Wait(0, &event, 1), 0);
    CHECK_EQ(two->Wait(0, &event, 1), 0);
    CHECK(Put(pair.b, "x", 1));
    CHECK_EQ(one->Wait(kSoon, &event, 1), 1);
    CHECK_EQ(two->Wait(kSoon, &event, 1), 1);
    char byte;
    CHECK_EQ(Take(pair.a, &byte, 1), 1);
  }
  CHECK_EQ(one->Remove(pair.a), 0);
  CHECK(Put(pair.b, "x", 1));
  CHECK_EQ(two->Wait(kSoon, &event, 1), 1);
}

TEST(TwoThousandSockets) {
  constexpr int kPairs = 1000;
  auto selector = Make();
  std::vector<SocketPair> pairs(kPairs);
  std::vector<int> fds;
  for (const SocketPair& pair : pairs) {
    CHECK(pair.a >= 0);
    fds.insert(fds.end(), {pair.a, pair.b});
  }
  std::vector<Event> events(2 * kPairs + 1);
  const int room = static_cast<int>(events.size());
  // Without a wait in between, and with one.
  for (int round = 0; round < 4; ++round) {
    for (const int fd : fds) CHECK_EQ(selector->Add(fd, kRead), 0);
    if (round % 2 == 1) CHECK_EQ(selector->Wait(0, events.data(), room), 0);
    for (const int fd : fds) CHECK_EQ(selector->Remove(fd), 0);
    CHECK_EQ(selector->Wait(0, events.data(), room), 0);
  }
  for (const int fd : fds) CHECK_EQ(selector->Add(fd, kRead), 0);
  CHECK_EQ(selector->Wait(0, events.data(), room), 0);
  for (const int fd : fds) CHECK(Put(fd, "x", 1));
  std::set<int> seen;
  CHECK_EQ(selector->Wait(0, events.data(), room), 2 * kPairs);
  for (int i = 0; i < 2 * kPairs; ++i) seen.insert(events[static_cast<size_t>(i)].fd);
  CHECK_EQ(seen.size(), 2 * kPairs);
}

// Doors to the driver are handles of this process, which the selector has and the sockets have not.
TEST(ADoorForThirtyTwoSockets) {
  std::vector<SocketPair> pairs(50);
  Event event;
  const int before = OpenHandles();
  auto selector = Make();
  // Wine 10 opens a handle for a thread that waits.
  CHECK_EQ(selector->Wait(kMs, &event, 1), 0);
  const int without_door = OpenHandles();
  int doors = 0;
  for (int i = 0; i < 100; ++i) {
    const SocketPair& pair = pairs[static_cast<size_t>(i) / 2];
    CHECK_EQ(selector->Add(i % 2 == 0 ? pair.a : pair.b, kRead), 0);
    // Before and after each that opens one.
    if (i % 32 == 0) ++doors;
    if (i % 32 == 0 || i % 32 == 31) CHECK_EQ(OpenHandles(), without_door + doors);
  }
  CHECK_EQ(doors, 4);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  // Places become free when the packets have come, and are taken again.
  for (const SocketPair& pair : pairs) CHECK_EQ(selector->Remove(pair.a), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  for (const SocketPair& pair : pairs) CHECK_EQ(selector->Add(pair.a, kRead | kPriority), 0);
  CHECK_EQ(OpenHandles(), without_door + doors);
  CHECK(Put(pairs[49].b, "x", 1));
  CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
  CHECK_EQ(event.fd, pairs[49].a);
  selector->Close();
  CHECK_EQ(OpenHandles(), before);
}

TEST(ADoorThatLeadsNowhereIsNotLeftOpen) {
  const int before = OpenHandles();
  HANDLE door = nullptr;
  // No completion port.
  const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  CHECK(AfdDoors(event).Open(&door) < 0);
  CHECK(door == nullptr);
  CloseHandle(event);
  CHECK_EQ(OpenHandles(), before);
}

// Requests that tell nothing of interest must not go round and round.
TEST(WaitingTakesNoTime) {
  auto selector = Make();
  SocketPair pairs[3];
  Event event;
  CHECK_EQ(selector->Add(pairs[0].a, kRead), 0);
  CHECK_EQ(selector->Add(pairs[1].a, 0), 0);
  CHECK_EQ(selector->Add(pairs[2].a, kRead | kWrite), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 1);
  CHECK_EQ(selector->Modify(pairs[2].a, kPriority), 0);
  CHECK(Put(pairs[1].b, "x", 1));
  CHECK(Put(pairs[2].b, "x", 1));
  const int64_t start = ThreadTimeNs();
  CHECK_EQ(selector->Wait(200 * kMs, &event, 1), 0);
  CHECK(ThreadTimeNs() - start < 100 * kMs);
}

TEST(ClosesWithRequestsInFlight) {
  for (int i = 0; i < 50; ++i) {
    auto selector = Make();
    SocketPair pairs[40];
    Event event;
    for (const SocketPair& pair : pairs) CHECK_EQ(selector->Add(pair.a, kRead), 0);
    CHECK_EQ(selector->Wait(0, &event, 1), 0);
    for (int k = 0; k < 20; ++k) CHECK_EQ(selector->Remove(pairs[k].a), 0);
    if (i % 2 == 0) selector->Close();
  }
}

namespace {

void CountReport(void* count, uint32_t) { ++*static_cast<std::atomic<int>*>(count); }

}  // namespace

// The owner's wait is as true as ever while another thread waits too.
TEST(OwnerWaitsWhileAThreadDoes) {
  auto selector = Make();
  SocketPair pair;
  SocketPair other;
  std::atomic<int> reports{0};
  Waiter waiter;
  CHECK_EQ(waiter.Start(selector.get(), CountReport, &reports), 0);
  Event event;
  char byte;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  for (int i = 0; i < 1000; ++i) {
    waiter.Arm(static_cast<uint32_t>(i));
    if (i % 3 == 0) Pause(kMs / 10);
    CHECK_EQ(selector->Wait(0, &event, 1), 0);
    CHECK(Put(pair.b, "x", 1));
    // The byte may be under way for a moment.
    CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
    CHECK_EQ(selector->Modify(pair.a, i % 2 == 0 ? kRead : kRead | kPriority), 0);
    if (i % 5 == 0) {
      CHECK_EQ(selector->Add(other.a, kWrite), 0);
      CHECK_EQ(selector->Remove(other.a), 0);
    }
    CHECK_EQ(selector->Wait(0, &event, 1), 1);
    CHECK_EQ(Take(pair.a, &byte, 1), 1);
    CHECK_EQ(selector->Wait(0, &event, 1), 0);
  }
  waiter.Stop();
}

TEST(TwoThreadsWaitForOneSelector) {
  auto selector = Make();
  SocketPair pair;
  std::atomic<int> reports[2] = {{0}, {0}};
  Waiter waiters[2];
  for (int k = 0; k < 2; ++k) CHECK_EQ(waiters[k].Start(selector.get(), CountReport, &reports[k]), 0);
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  Event event;
  char byte;
  for (int i = 1; i <= 300; ++i) {
    for (Waiter& waiter : waiters) waiter.Arm(static_cast<uint32_t>(i));
    if (i % 3 == 0) CHECK_EQ(selector->Wait(0, &event, 1), 0);
    CHECK(Put(pair.b, "x", 1));
    const int64_t start = NowNs();
    while ((reports[0] < i || reports[1] < i) && NowNs() - start < kSoon) Pause(kMs / 10);
    CHECK_EQ(reports[0], i);
    CHECK_EQ(reports[1], i);
    CHECK_EQ(Take(pair.a, &byte, 1), 1);
  }
  // One leaves while the other stays.
  for (Waiter& waiter : waiters) waiter.Arm(0);
  waiters[0].Stop();
  CHECK(Put(pair.b, "x", 1));
  const int64_t start = NowNs();
  while (reports[1] < 301 && NowNs() - start < kSoon) Pause(kMs);
  CHECK_EQ(reports[1], 301);
  waiters[1].Stop();
}

// --- Providers in between, which this machine need not have
// -----------------------------------------------------

namespace {

constexpr DWORD kBaseHandle = 0x48000022;
constexpr DWORD kPollHandle = 0x4800001D;
constexpr DWORD kSelectHandle = 0x4800001C;

int Direct(SOCKET socket, DWORD question, SOCKET* answer) {
  if (question != kBaseHandle) return WSAEOPNOTSUPP;
  *answer = socket + 100;
  return 0;
}

// Refuses the documented question on two layers, and gives the next one away under another name on each.
int Layered(SOCKET socket, DWORD question, SOCKET* answer) {
  *answer = socket;
  if (socket == 4 && question == kPollHandle) *answer = 8;
  if (socket == 8 && question == kSelectHandle) *answer = 12;
  if (question != kBaseHandle) return 0;
  return socket == 12 ? 0 : WSAEFAULT;
}

int Secretive(SOCKET socket, DWORD question, SOCKET* answer) {
  *answer = socket;
  return question == kBaseHandle ? WSAEFAULT : 0;
}

int Circular(SOCKET socket, DWORD question, SOCKET* answer) {
  *answer = socket == 4 ? 8 : 4;
  return question == kBaseHandle ? WSAEFAULT : 0;
}

int NoSocket(SOCKET, DWORD, SOCKET*) { return WSAENOTSOCK; }

}  // namespace

TEST(BaseSocketIsTheProvidersAnswer) {
  SOCKET base = 0;
  CHECK_EQ(FindBaseSocket(4, Direct, &base), 0);
  CHECK_EQ(base, 104);
}

TEST(BaseSocketIsFoundBehindLayers) {
  SOCKET base = 0;
  CHECK_EQ(FindBaseSocket(4, Layered, &base), 0);
  CHECK_EQ(base, 12);
}

TEST(BaseSocketThatIsNotGivenAwayIsAnError) {
  SOCKET base = 0;
  CHECK_EQ(FindBaseSocket(4, Secretive, &base), -ENOTSUP);
  CHECK_EQ(FindBaseSocket(4, Circular, &base), -ENOTSUP);
  CHECK_EQ(FindBaseSocket(4, NoSocket, &base), -ENOTSOCK);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
