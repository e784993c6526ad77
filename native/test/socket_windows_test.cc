// socket_windows_test.cc: what socket_windows.cc puts right of Winsock's ways, and handles of other kinds.
#include <errno.h>

#include "base/errno_table.h"
#include "base/winsock.h"
#include "test/echo.h"
#include "test/harness.h"

using namespace fdloop;

TEST(HandlesOfOtherKindsAreNoSockets) {
  const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  const auto fd = static_cast<int>(reinterpret_cast<intptr_t>(event));
  uint8_t octet = 0;
  uint64_t identity = 0;
  CHECK_EQ(Receive(fd, &octet, 1, 0), -ENOTSOCK);
  CHECK_EQ(SetNonBlocking(fd, true), -ENOTSOCK);
  CHECK_EQ(GetNonBlocking(fd), -ENOTSOCK);
  CHECK_EQ(SetInheritable(fd, true), -ENOTSOCK);
  CHECK_EQ(GetInheritable(fd), -ENOTSOCK);
  CHECK_EQ(Duplicate(fd), -ENOTSOCK);
  CHECK_EQ(DescriptorIdentity(fd, &identity), -ENOTSOCK);
  CHECK_EQ(Close(fd), -ENOTSOCK);
  CHECK(CloseHandle(event));
}

TEST(ErrorsOfWinsockHaveTheNamesOfPosix) {
  struct Row {
    int error;
    const char* name;
  };
#define SAME(name) \
  { WSA##name, #name }
  constexpr Row kRows[] = {
      SAME(EINTR),
      SAME(EBADF),
      SAME(EACCES),
      SAME(EFAULT),
      SAME(EINVAL),
      SAME(EMFILE),
      SAME(EINPROGRESS),
      SAME(EALREADY),
      SAME(ENOTSOCK),
      SAME(EDESTADDRREQ),
      SAME(EMSGSIZE),
      SAME(EPROTOTYPE),
      SAME(ENOPROTOOPT),
      SAME(EPROTONOSUPPORT),
      SAME(EOPNOTSUPP),
      SAME(EAFNOSUPPORT),
      SAME(EADDRINUSE),
      SAME(EADDRNOTAVAIL),
      SAME(ENETDOWN),
      SAME(ENETUNREACH),
      SAME(ENETRESET),
      SAME(ECONNABORTED),
      SAME(ECONNRESET),
      SAME(ENOBUFS),
      SAME(EISCONN),
      SAME(ENOTCONN),
      SAME(ETIMEDOUT),
      SAME(ECONNREFUSED),
      SAME(ENAMETOOLONG),
      SAME(EHOSTUNREACH),
      // Those that POSIX has by another name, or not at all.
      {WSAEWOULDBLOCK, "EAGAIN"},
      {WSAESHUTDOWN, "EPIPE"},
      {WSAEHOSTDOWN, "EHOSTUNREACH"},
      {WSAEPFNOSUPPORT, "EAFNOSUPPORT"},
      {WSAESOCKTNOSUPPORT, "EPROTONOSUPPORT"},
      {WSAEPROCLIM, "EAGAIN"},
      {ERROR_INVALID_HANDLE, "EBADF"},
      {ERROR_NOT_ENOUGH_MEMORY, "ENOMEM"},
      {99999, "EIO"},
  };
#undef SAME
  for (const Row& row : kRows) {
    const Result result = WindowsFailure(row.error);
    CHECK(result < 0);
    const char* name = ErrnoName(-result);
    CHECK(name != nullptr);
    if (strcmp(name, row.name) != 0) CHECK_EQ(row.error, 0);
  }
}

TEST(AConnectionThatGoesOnIsInProgress) {
  Name bound;
  UniqueFd listener = Serve(Loopback(0), &bound);
  UniqueFd client(OpenSocket(AF_INET, SOCK_STREAM, 0));
  CHECK_EQ(SetNonBlocking(client.get(), true), 0);
  const Result result = Connect(client.get(), bound.bytes, bound.length);
  CHECK(result == 0 || result == -EINPROGRESS);
  Name peer;
  UniqueFd server(Accept(listener.get(), peer.bytes, &peer.length));
  CHECK(server.IsOpen());
}

TEST(TheErrorOfASocketIsAnErrno) {
  Name bound;
  { UniqueFd listener = Serve(Loopback(0), &bound); }
  UniqueFd client(OpenSocket(AF_INET, SOCK_STREAM, 0));
  CHECK_EQ(SetNonBlocking(client.get(), true), 0);
  Result result = Connect(client.get(), bound.bytes, bound.length);
  // Where a failure is known at once there is none left to ask for.
  if (result == -EINPROGRESS) {
    Polled polled = {AsSocket(client.get()), POLLOUT, 0};
    CHECK_EQ(Poll(&polled, 10000), 1);
    int error = 0;
    size_t length = sizeof error;
    CHECK_EQ(GetOption(client.get(), SOL_SOCKET, SO_ERROR, reinterpret_cast<uint8_t*>(&error), &length), 0);
    result = -error;
  }
  CHECK_EQ(result, -ECONNREFUSED);
}

TEST(ADatagramThatIsTooLongIsCut) {
  DatagramPair pair;
  uint8_t buffer[4];
  Name from;
  for (int i = 0; i < 3; ++i) CHECK_EQ(Send(pair.a, Bytes("abcdef"), 6, 0), 6);
  CHECK(WaitReadable(pair.b));
  CHECK_EQ(Receive(pair.b, buffer, sizeof buffer, 0), 4);
  CHECK_EQ(memcmp(buffer, "abcd", 4), 0);
  CHECK_EQ(ReceiveFrom(pair.b, buffer, 2, 0, from.bytes, &from.length), 2);
  CHECK_EQ(FamilyOf(from), AF_INET);
  CHECK_EQ(Receive(pair.b, buffer, 3, 0), 3);
}

TEST(ADatagramToNobodyIsReportedToAConnectedSocketOnly) {
  Name any = Loopback(0), gone;
  {
    UniqueFd nobody(OpenSocket(AF_INET, SOCK_DGRAM, 0));
    CHECK_EQ(Bind(nobody.get(), any.bytes, any.length), 0);
    CHECK_EQ(GetSocketName(nobody.get(), gone.bytes, &gone.length), 0);
  }
  UniqueFd sender(OpenSocket(AF_INET, SOCK_DGRAM, 0));
  CHECK_EQ(SetNonBlocking(sender.get(), true), 0);
  uint8_t buffer[4];
  for (int i = 0; i < 3; ++i) {
    CHECK_EQ(SendTo(sender.get(), Bytes("x"), 1, 0, gone.bytes, gone.length), 1);
    CHECK(!WaitReadable(sender.get(), 20));
    CHECK_EQ(Receive(sender.get(), buffer, sizeof buffer, 0), -EAGAIN);
  }
  CHECK_EQ(Connect(sender.get(), gone.bytes, gone.length), 0);
  // Windows tells the receiver. Under wine it may be the next sender instead.
  Result result = 1;
  for (const int64_t start = NowNs(); result == 1 || result == -EAGAIN;) {
    CHECK(NowNs() - start < 10LL * 1000 * 1000 * 1000);
    result = Send(sender.get(), Bytes("x"), 1, 0);
    if (result == 1) result = Receive(sender.get(), buffer, sizeof buffer, 0);
  }
  CHECK_EQ(result, -ECONNREFUSED);
}

TEST(ASocketWithoutANameHasItsFamily) {
  for (const int family : {AF_INET, AF_INET6}) {
    UniqueFd fd(OpenSocket(family, SOCK_STREAM, 0));
    Name name;
    CHECK_EQ(GetSocketName(fd.get(), name.bytes, &name.length), 0);
    CHECK_EQ(FamilyOf(name), family);
    CHECK_EQ(DecodeAddress(name.bytes, name.length).port, 0);
  }
}

TEST(SendingAfterShutdownIsABrokenPipe) {
  SocketPair pair;
  CHECK_EQ(Shutdown(pair.a, SHUT_WR), 0);
  CHECK_EQ(Send(pair.a, Bytes("x"), 1, 0), -EPIPE);
}

// The numbers of closed sockets come again at once.
TEST(ANewSocketIsNotTheOneThatHadItsNumber) {
  uint64_t before = 0, after = 0;
  const int fd = OpenSocket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(SetNonBlocking(fd, true), 0);
  CHECK_EQ(DescriptorIdentity(fd, &before), 0);
  closesocket(AsSocket(fd));
  UniqueFd again(OpenSocket(AF_INET, SOCK_STREAM, 0));
  CHECK_EQ(again.get(), fd);
  CHECK_EQ(DescriptorIdentity(again.get(), &after), 0);
  CHECK(before != after);
  CHECK_EQ(GetNonBlocking(again.get()), 0);
}

// Whoever has made it so, and whether or not that was done here.
TEST(ADuplicateLeavesTheModeOfItsOriginal) {
  SocketPair pair;
  UniqueFd copy(Duplicate(pair.a));
  uint8_t octet;
  CHECK_EQ(Receive(copy.get(), &octet, 1, 0), -EAGAIN);
  CHECK_EQ(Receive(pair.a, &octet, 1, 0), -EAGAIN);
}

TEST(OnlyStreamsComeInPairs) {
  int32_t fds[2];
  CHECK_EQ(OpenSocketPair(AF_INET, SOCK_DGRAM, 0, fds), -EPROTONOSUPPORT);
  CHECK_EQ(OpenSocketPair(AF_UNIX, SOCK_STREAM, 0, fds), -EAFNOSUPPORT);
  CHECK_EQ(OpenSocketPair(AF_INET6, SOCK_STREAM, 0, fds), 0);
  Close(fds[0]);
  Close(fds[1]);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
