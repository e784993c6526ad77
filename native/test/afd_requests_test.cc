// afd_requests_test.cc: what iocp.cc asks of AFD: how many requests, about what, and when; and what it does
// if one fails. The calls of the system go through functions of this program, which note them, and spoil one
// if a test wants it.
#include <errno.h>
#include <stdint.h>

#include <map>
#include <memory>
#include <vector>

#include "selector/afd.h"
#include "selector/registry.h"
#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

constexpr int64_t kMs = 1000 * 1000;
constexpr int64_t kSoon = 10000 * kMs;
constexpr LONG kStatusInsufficientResources = static_cast<LONG>(0xC000009A);

// As the driver takes it.
struct Question {
  LARGE_INTEGER timeout;
  ULONG count;
  ULONG exclusive;
  HANDLE handle;
  ULONG events;
  LONG status;
};

struct Journal {
  // What is spoilt; what was used is gone from here.
  DWORD failing_open = 0;     // The error of the next CreateFileW.
  DWORD failing_request = 0;  // The error of the next request
  int good_before_it = 0;     // after so many that are made.
  LONG failing_packet = 0;    // The status of the next packet.
  int looks_too_early = 0;    // So many looks without a wait find no packet yet.

  std::vector<Question> asked;
  int cancelled = 0;
  std::map<OVERLAPPED*, HANDLE> in_flight;  // The sockets of the requests whose packets have not been taken.
  bool is_doubled = false;                  // Whether there were two at a time about one socket.
};

Journal& Noted() {
  static Journal journal;
  return journal;
}

template <typename Function>
Function* Original(const char* name) {
  const FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32"), name);
  return reinterpret_cast<Function*>(reinterpret_cast<void*>(found));
}

HANDLE WINAPI NoteCreateFile(LPCWSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES security,
                             DWORD how, DWORD flags, HANDLE model) {
  static const auto original = Original<decltype(CreateFileW)>("CreateFileW");
  if (Noted().failing_open != 0) {
    SetLastError(Noted().failing_open);
    Noted().failing_open = 0;
    return INVALID_HANDLE_VALUE;
  }
  return original(name, access, share, security, how, flags, model);
}

BOOL WINAPI NoteRequest(HANDLE door, DWORD code, LPVOID in, DWORD in_size, LPVOID out, DWORD out_size,
                        LPDWORD returned, LPOVERLAPPED overlapped) {
  static const auto original = Original<decltype(DeviceIoControl)>("DeviceIoControl");
  Journal& noted = Noted();
  if (noted.failing_request != 0 && noted.good_before_it-- == 0) {
    SetLastError(noted.failing_request);
    noted.failing_request = 0;
    noted.good_before_it = 0;
    return FALSE;
  }
  const Question question = *static_cast<const Question*>(in);
  noted.asked.push_back(question);
  for (const auto& [other, handle] : noted.in_flight) noted.is_doubled |= handle == question.handle;
  noted.in_flight[overlapped] = question.handle;
  return original(door, code, in, in_size, out, out_size, returned, overlapped);
}

BOOL WINAPI NoteCancel(HANDLE door, LPOVERLAPPED overlapped) {
  static const auto original = Original<decltype(CancelIoEx)>("CancelIoEx");
  ++Noted().cancelled;
  return original(door, overlapped);
}

BOOL WINAPI NotePackets(HANDLE port, LPOVERLAPPED_ENTRY packets, ULONG room, PULONG count, DWORD timeout_ms,
                        BOOL alertable) {
  static const auto original = Original<decltype(GetQueuedCompletionStatusEx)>("GetQueuedCompletionStatusEx");
  Journal& noted = Noted();
  if (timeout_ms == 0 && noted.looks_too_early > 0) {
    --noted.looks_too_early;
    SetLastError(WAIT_TIMEOUT);
    return FALSE;
  }
  if (!original(port, packets, room, count, timeout_ms, alertable)) return FALSE;
  for (ULONG i = 0; i < *count; ++i) {
    if (packets[i].lpOverlapped == nullptr) continue;
    noted.in_flight.erase(packets[i].lpOverlapped);
    if (noted.failing_packet == 0) continue;
    packets[i].lpOverlapped->Internal = static_cast<ULONG_PTR>(noted.failing_packet);
    noted.failing_packet = 0;
  }
  return TRUE;
}

std::unique_ptr<Selector> Make() {
  Noted() = Journal();
  std::unique_ptr<Selector> selector;
  if (MakeIocp(&selector) != 0) _exit(2);
  return selector;
}

size_t Asked() { return Noted().asked.size(); }

}  // namespace

// The linker takes these for the addresses that it would have had from the system's library.
extern "C" {
auto* __imp_CreateFileW = &NoteCreateFile;
auto* __imp_DeviceIoControl = &NoteRequest;
auto* __imp_CancelIoEx = &NoteCancel;
auto* __imp_GetQueuedCompletionStatusEx = &NotePackets;
}

TEST(AMaskIsASetOfEvents) {
  constexpr ULONG kFailed = kAfdAbort | kAfdConnectFail;
  constexpr ULONG kReading = kAfdReceive | kAfdAccept | kAfdDisconnect | kFailed;
  constexpr ULONG kWriting = kAfdSend | kFailed;
  const std::map<int, ULONG> events = {{kRead, kReading},
                                       {kWrite, kWriting},
                                       {kPriority, kAfdReceiveExpedited},
                                       {kRead | kWrite, kReading | kWriting},
                                       {kRead | kPriority, kReading | kAfdReceiveExpedited}};
  for (const auto& [mask, wanted] : events) {
    auto selector = Make();
    SocketPair pair;
    Event event;
    CHECK_EQ(selector->Add(pair.a, mask), 0);
    CHECK(selector->Wait(0, &event, 1) >= 0);
    CHECK_EQ(Asked(), 1);
    const Question& question = Noted().asked[0];
    CHECK_EQ(question.events, wanted);
    CHECK_EQ(question.count, 1);
    CHECK_EQ(question.exclusive, FALSE);
    CHECK_EQ(question.timeout.QuadPart, INT64_MAX);
  }
}

TEST(AMaskOfNothingIsNotAskedAbout) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, 0), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(Asked(), 0);
}

TEST(ABurstOfChangesIsOneRequest) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  for (const int mask : {kWrite, 0, kRead | kPriority, kPriority})
    CHECK_EQ(selector->Modify(pair.a, mask), 0);
  CHECK_EQ(Asked(), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(Asked(), 1);
  CHECK_EQ(Noted().asked[0].events, kAfdReceiveExpedited);
}

TEST(WhoComesAndGoesBetweenTwoWaitsIsNotAskedAbout) {
  auto selector = Make();
  SocketPair pair, other;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  for (int i = 0; i < 10; ++i) {
    CHECK_EQ(selector->Add(other.a, kRead), 0);
    CHECK_EQ(selector->Remove(other.a), 0);
    CHECK_EQ(selector->Wait(0, &event, 1), 0);
  }
  CHECK_EQ(Asked(), 1);
  CHECK_EQ(Noted().cancelled, 0);
}

TEST(AQuietSocketIsAskedAboutOnce) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  for (int i = 0; i < 100; ++i) CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(Asked(), 1);
  // What came before a wait is asked for again, as what was reported is.
  CHECK(Put(pair.b, "x", 1));
  CHECK(WaitReadable(pair.a));
  for (size_t i = 2; i < 10; ++i) {
    CHECK_EQ(selector->Wait(0, &event, 1), 1);
    CHECK_EQ(Asked(), i);
  }
  CHECK(!Noted().is_doubled);
}

TEST(ANarrowerMaskLeavesTheRequestAlone) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead | kPriority), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  for (const int mask : {kRead, kPriority, kRead | kPriority, 0, kRead}) {
    CHECK_EQ(selector->Modify(pair.a, mask), 0);
    CHECK_EQ(selector->Wait(0, &event, 1), 0);
    CHECK_EQ(Noted().cancelled, 0);
  }
  CHECK_EQ(Asked(), 1);
  // What it says of the rest is nobody's business, and ends no wait.
  CHECK(Put(pair.b, "!", 1, MSG_OOB));
  Noted().looks_too_early = 1;
  const int64_t start = NowNs();
  CHECK_EQ(selector->Wait(30 * kMs, &event, 1), 0);
  CHECK(NowNs() - start >= 30 * kMs);
  CHECK_EQ(Asked(), 2);
  CHECK_EQ(Noted().asked[1].events & kAfdReceiveExpedited, 0);
}

TEST(AWiderMaskCancels) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(selector->Modify(pair.a, kRead | kPriority), 0);
  CHECK_EQ(Noted().cancelled, 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(Noted().cancelled, 1);
  CHECK_EQ(Asked(), 2);
  CHECK_EQ(Noted().in_flight.size(), 1);
}

// By chance, and with a socket that is removed and registered again while a request about it is in flight.
TEST(NeverTwoRequestsAboutOneSocket) {
  auto selector = Make();
  SocketPair pairs[5];
  Event events[10];
  // Mostly what is not ready: its request stays in flight.
  constexpr int kMasks[] = {kRead, kPriority, kRead | kPriority, kWrite};
  bool is_known[5] = {};
  uint32_t chance = 7;
  for (int i = 0; i < 3000; ++i) {
    chance = chance * 1664525 + 1013904223;
    const uint32_t index = (chance >> 8) % 5;
    const int mask = kMasks[(chance >> 16) % 4];
    const SocketPair& pair = pairs[index];
    char bytes[64];
    switch ((chance >> 24) % 5) {
      case 0:
        CHECK_EQ(is_known[index] ? selector->Remove(pair.a) : selector->Add(pair.a, mask), 0);
        is_known[index] = !is_known[index];
        break;
      case 1:
        if (is_known[index]) CHECK_EQ(selector->Modify(pair.a, mask), 0);
        break;
      case 2:
        CHECK(Put(pair.b, "x", 1));
        break;
      case 3:
        Take(pair.a, bytes, sizeof bytes);
        break;
      default:
        CHECK(selector->Wait(0, events, 10) >= 0);
    }
    CHECK(!Noted().is_doubled);
  }
  CHECK(Asked() > 500);
  CHECK(Noted().cancelled > 100);
}

TEST(ARequestOutlivesItsSocketUntilItsPacketIsTaken) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(selector->Remove(pair.a), 0);
  pair.CloseA();
  CHECK_EQ(Noted().in_flight.size(), 1);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(Noted().in_flight.size(), 0);
}

TEST(WhoComesBackIsAskedAboutWhenTheOldPacketIsThere) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(selector->Remove(pair.a), 0);
  CHECK_EQ(selector->Add(pair.a, kWrite), 0);
  Noted().looks_too_early = 1;
  CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
  CHECK_EQ(event.mask, kWrite);
  CHECK(!Noted().is_doubled);
  CHECK_EQ(Noted().in_flight.size(), 0);
}

TEST(CloseTakesAllPackets) {
  auto selector = Make();
  SocketPair pairs[40];
  Event event;
  for (const SocketPair& pair : pairs) CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  for (int i = 0; i < 20; ++i) CHECK_EQ(selector->Remove(pairs[i].a), 0);
  CHECK_EQ(Noted().in_flight.size(), 40);
  selector->Close();
  CHECK_EQ(Noted().in_flight.size(), 0);
}

TEST(ARequestThatIsRefusedIsMadeByTheNextWait) {
  auto selector = Make();
  SocketPair pair, other;
  Event events[3];
  CHECK_EQ(selector->Add(pair.a, kWrite), 0);
  CHECK_EQ(selector->Add(other.a, kWrite), 0);
  Noted().failing_request = ERROR_NO_SYSTEM_RESOURCES;
  Noted().good_before_it = 1;
  CHECK_EQ(selector->Wait(kSoon, events, 3), -ENOBUFS);
  CHECK_EQ(Asked(), 1);
  CHECK_EQ(selector->Wait(kSoon, events, 3), 2);
  CHECK(!Noted().is_doubled);
}

// The system finds out first what SocketIdentity would have found out.
TEST(ARequestAboutASocketThatIsGoneForgetsIt) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kWrite), 0);
  Noted().failing_request = ERROR_INVALID_HANDLE;
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(selector->Modify(pair.a, kRead), -ENOENT);
  CHECK_EQ(selector->Add(pair.a, kWrite), 0);
  CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
}

TEST(AFailureOfTheDriverWakesEitherDirection) {
  auto selector = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(selector->Modify(pair.a, kRead), 0);
  CHECK(Put(pair.b, "x", 1));
  CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
  Noted().failing_packet = kStatusInsufficientResources;
  CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
  CHECK_EQ(event.mask, kRead | kWrite);
  CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
  CHECK_EQ(event.mask, kRead);
}

TEST(WithoutADoorASocketIsRefused) {
  auto selector = Make();
  SocketPair pairs[33];
  Event event;
  for (int i = 0; i < 32; ++i) {
    Noted().failing_open = i == 0 ? ERROR_TOO_MANY_OPEN_FILES : 0;
    if (i == 0) CHECK_EQ(selector->Add(pairs[i].a, kRead), -EMFILE);
    CHECK_EQ(selector->Add(pairs[i].a, kRead), 0);
  }
  Noted().failing_open = ERROR_ACCESS_DENIED;
  CHECK_EQ(selector->Add(pairs[32].a, kWrite), -EACCES);
  CHECK_EQ(selector->Remove(pairs[32].a), -ENOENT);
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK_EQ(Asked(), 32);
  CHECK_EQ(selector->Add(pairs[32].a, kWrite), 0);
  CHECK_EQ(selector->Wait(kSoon, &event, 1), 1);
  CHECK_EQ(event.fd, pairs[32].a);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
