// afd_test.cc: what AFD answers, question by question: the behaviour that iocp.cc builds upon and that nobody
// documents. A case for each line of docs/backends.md, so that another Windows, or another wine, can be asked
// the same.
#include <errno.h>

#include "selector/afd.h"
#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

constexpr ULONG kConnect = 0x040;  // Nobody asks for it.
constexpr ULONG kAll =
    kAfdReceive | kAfdReceiveExpedited | kAfdSend | kAfdDisconnect | kAfdAbort | kAfdAccept | kAfdConnectFail;
constexpr ULONG kReading = kAfdReceive | kAfdAccept | kAfdDisconnect | kAfdAbort | kAfdConnectFail;
constexpr DWORD kSoonMs = 10000;
constexpr DWORD kStatusCancelled = 0xC0000120;
constexpr DWORD kStatusTimeout = 0x102;
constexpr ULONG kNothing = 0;

// A port with a door, and one request at a time.
class Asker {
 public:
  Asker() : port_(CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 0)), doors_(port_) {
    if (doors_.Open(&door_) < 0) _exit(2);
  }
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;
  ~Asker() {
    doors_.Close(door_);
    CloseHandle(port_);
  }

  HANDLE door() const { return door_; }
  AfdRequest* request() { return &request_; }

  Result Submit(int fd, ULONG events) {
    SOCKET base;
    const Result result = FindBaseSocket(AsSocket(fd), QuerySocket, &base);
    return result < 0 ? result : request_.Submit(door_, base, events);
  }

  // The status of the packet that comes, whosever it is; -1 if none comes in time.
  int64_t Status(DWORD timeout_ms) {
    OVERLAPPED_ENTRY packet;
    ULONG count = 0;
    if (!GetQueuedCompletionStatusEx(port_, &packet, 1, &count, timeout_ms, FALSE)) return -1;
    return static_cast<DWORD>(packet.lpOverlapped->Internal);
  }

  // The answer; none if it does not come in time.
  ULONG Ask(int fd, ULONG events, DWORD timeout_ms = kSoonMs) {
    if (Submit(fd, events) < 0) return kAfdFailure;
    if (Status(timeout_ms) >= 0) return request_.Answer();
    request_.Cancel(door_);
    Status(kSoonMs);
    return request_.Answer();
  }

 private:
  HANDLE port_;
  AfdDoors doors_;
  HANDLE door_ = nullptr;
  AfdRequest request_;
};

int SocketError(int fd) {
  int error = -1;
  int length = sizeof error;
  getsockopt(AsSocket(fd), SOL_SOCKET, SO_ERROR, reinterpret_cast<char*>(&error), &length);
  return error;
}

void Connect(int fd, const sockaddr_in& address) {
  connect(AsSocket(fd), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

TEST(WhatIsAnsweredAtOnceHasAPacketToo) {
  Asker asker;
  SocketPair pair;
  CHECK_EQ(asker.Submit(pair.a, kAfdSend), 0);
  CHECK(asker.request()->IsAnswered());
  CHECK_EQ(asker.Status(kSoonMs), 0);
  CHECK_EQ(asker.Status(0), -1);
}

TEST(DataIsReceiveUntilItIsTaken) {
  Asker asker;
  SocketPair pair;
  CHECK_EQ(asker.Ask(pair.a, kReading, 20), kNothing);
  CHECK(Put(pair.b, "xy", 2));
  char byte;
  for (int i = 0; i < 2; ++i) {
    CHECK_EQ(asker.Ask(pair.a, kReading), kAfdReceive);
    CHECK_EQ(asker.Ask(pair.a, kReading), kAfdReceive);
    CHECK_EQ(Take(pair.a, &byte, 1), 1);
  }
  CHECK_EQ(asker.Ask(pair.a, kReading, 20), kNothing);
}

TEST(TheEndOfAStreamIsDisconnectAndStays) {
  Asker asker;
  SocketPair pair;
  CHECK(Put(pair.b, "x", 1));
  CHECK(WaitReadable(pair.a));
  CHECK_EQ(shutdown(AsSocket(pair.b), SD_SEND), 0);
  // Windows may tell of the end already.
  CHECK((asker.Ask(pair.a, kReading) & kAfdReceive) != 0);
  char byte;
  CHECK_EQ(Take(pair.a, &byte, 1), 1);
  for (int i = 0; i < 2; ++i) {
    CHECK_EQ(asker.Ask(pair.a, kReading), kAfdDisconnect);
    CHECK_EQ(Take(pair.a, &byte, 1), 0);
  }
}

TEST(AResetIsAbortAndStays) {
  Asker asker;
  SocketPair pair;
  const linger at_once = {1, 0};
  setsockopt(AsSocket(pair.b), SOL_SOCKET, SO_LINGER, reinterpret_cast<const char*>(&at_once),
             sizeof at_once);
  pair.CloseB();
  for (int i = 0; i < 2; ++i) CHECK((asker.Ask(pair.a, kAfdAbort) & kAfdAbort) != 0);
}

TEST(AClientIsAcceptUntilItIsAccepted) {
  Asker asker;
  const UniqueFd listener = OpenNonBlocking(SOCK_STREAM);
  const UniqueFd client = OpenNonBlocking(SOCK_STREAM);
  sockaddr_in address;
  CHECK(ListenOnLoopback(listener.get(), &address));
  CHECK_EQ(asker.Ask(listener.get(), kAll, 20), kNothing);
  Connect(client.get(), address);
  for (int i = 0; i < 2; ++i) CHECK_EQ(asker.Ask(listener.get(), kAll), kAfdAccept);
  const UniqueFd accepted(static_cast<int>(accept(AsSocket(listener.get()), nullptr, nullptr)));
  CHECK(accepted.IsOpen());
  CHECK_EQ(asker.Ask(listener.get(), kAll, 20), kNothing);
}

TEST(AConnectThatSucceedsIsSend) {
  Asker asker;
  const UniqueFd listener = OpenNonBlocking(SOCK_STREAM);
  const UniqueFd client = OpenNonBlocking(SOCK_STREAM);
  sockaddr_in address;
  CHECK(ListenOnLoopback(listener.get(), &address));
  Connect(client.get(), address);
  CHECK_EQ(asker.Ask(client.get(), kAll), kAfdSend);
  // It would be told of as long as there is the connection.
  for (int i = 0; i < 2; ++i) CHECK_EQ(asker.Ask(client.get(), kConnect), kConnect);
}

TEST(AConnectThatFailsIsConnectFailAndStays) {
  Asker asker;
  const UniqueFd client = OpenNonBlocking(SOCK_STREAM);
  Connect(client.get(), Nowhere(SOCK_STREAM));
  for (int i = 0; i < 2; ++i) CHECK((asker.Ask(client.get(), kAfdConnectFail) & kAfdConnectFail) != 0);
  CHECK_EQ(SocketError(client.get()), WSAECONNREFUSED);
}

TEST(UrgentDataIsNoReceive) {
  Asker asker;
  SocketPair pair;
  CHECK(Put(pair.b, "!", 1, MSG_OOB));
  CHECK_EQ(asker.Ask(pair.a, kReading | kAfdReceiveExpedited), kAfdReceiveExpedited);
  CHECK_EQ(asker.Ask(pair.a, kReading, 20), kNothing);
}

TEST(TheLastCloseIsToldUnasked) {
  Asker asker;
  SocketPair pair;
  UniqueFd duplicate(DuplicateSocket(pair.a));
  CHECK_EQ(asker.Submit(pair.a, kAfdReceive), 0);
  pair.CloseA();
  CHECK_EQ(asker.Status(20), -1);
  duplicate.Reset();
  CHECK(asker.Status(kSoonMs) >= 0);
  CHECK_EQ(asker.request()->Answer(), kAfdLocalClose);
}

TEST(ACancelledRequestHasAPacketThatSaysSo) {
  Asker asker;
  SocketPair pair;
  CHECK_EQ(asker.Submit(pair.a, kAfdReceive), 0);
  CHECK(!asker.request()->IsAnswered());
  asker.request()->Cancel(asker.door());
  CHECK_EQ(asker.Status(kSoonMs), kStatusCancelled);
  CHECK_EQ(asker.request()->Answer(), kNothing);
  // One that is answered cannot be cancelled.
  CHECK_EQ(asker.Submit(pair.a, kAfdSend), 0);
  asker.request()->Cancel(asker.door());
  CHECK_EQ(asker.Status(kSoonMs), 0);
  CHECK_EQ(asker.request()->Answer(), kAfdSend);
}

// No request of ours has one.
TEST(ATimeLimitOfTheDriversOwnGivesNoSockets) {
  struct {
    LARGE_INTEGER timeout;
    ULONG count;
    ULONG exclusive;
    HANDLE handle;
    ULONG events;
    LONG status;
  } poll = {};
  OVERLAPPED overlapped = {};
  Asker asker;
  SocketPair pair;
  // Ten milliseconds from now.
  poll.timeout.QuadPart = -10 * 10000;
  poll.count = 1;
  poll.handle = reinterpret_cast<HANDLE>(AsSocket(pair.a));
  poll.events = kAfdReceive;
  DeviceIoControl(asker.door(), 0x00012024, &poll, sizeof poll, &poll, sizeof poll, nullptr, &overlapped);
  CHECK_EQ(asker.Status(kSoonMs), kStatusTimeout);
  CHECK_EQ(poll.count, 0);
}

TEST(ASocketWithoutProvidersInBetweenIsItsOwnBase) {
  SocketPair pair;
  SOCKET base = INVALID_SOCKET;
  CHECK_EQ(FindBaseSocket(AsSocket(pair.a), QuerySocket, &base), 0);
  CHECK_EQ(base, AsSocket(pair.a));
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
