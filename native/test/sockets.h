// sockets.h: sockets for the native tests, alike on every system. On Windows, where there are no others, a
// pair is a TCP connection.
#ifndef FDLOOP_TEST_SOCKETS_H_
#define FDLOOP_TEST_SOCKETS_H_

#include "base/unique_fd.h"

#ifdef _WIN32
#include "base/loopback_pair.h"
#include "base/winsock.h"
// After winsock.h.
#include <ws2tcpip.h>
#else
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

namespace fdloop {

#ifdef _WIN32
constexpr int kPairFamily = AF_INET;

inline void SetNonBlockingForTest(int fd) {
  u_long on = 1;
  ioctlsocket(AsSocket(fd), FIONBIO, &on);
}

// A second number for the same socket.
inline int DuplicateSocket(int fd) {
  WSAPROTOCOL_INFOW info;
  if (WSADuplicateSocketW(AsSocket(fd), GetCurrentProcessId(), &info) != 0) return -1;
  return static_cast<int>(
      WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0, WSA_FLAG_OVERLAPPED));
}

inline int Poll(WSAPOLLFD* polled, int timeout_ms) { return WSAPoll(polled, 1, timeout_ms); }
using Polled = WSAPOLLFD;
#else
constexpr int kPairFamily = AF_UNIX;

inline int AsSocket(int fd) { return fd; }
inline void SetNonBlockingForTest(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }
inline int DuplicateSocket(int fd) { return dup(fd); }

using Polled = pollfd;
inline int Poll(Polled* polled, int timeout_ms) { return poll(polled, 1, timeout_ms); }
#endif

// Waits until there is something to receive, the end included.
inline bool WaitReadable(int fd, int timeout_ms = 10000) {
  Polled polled = {};
  polled.fd = AsSocket(fd);
  polled.events = POLLIN;
  return Poll(&polled, timeout_ms) == 1;
}

// Whether a socket has this number.
inline bool IsOpenSocket(int fd) {
  int type = 0;
  socklen_t length = sizeof type;
  return getsockopt(AsSocket(fd), SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &length) == 0;
}

// Sends all of it, or tells that it could not.
inline bool Put(int fd, const char* text, int length, int flags = 0) {
  return send(AsSocket(fd), text, length, flags) == length;
}

// Receives up to so many bytes; negative where recv() fails.
inline int Take(int fd, char* bytes, int room, int flags = 0) {
  return static_cast<int>(recv(AsSocket(fd), bytes, room, flags));
}

inline UniqueFd OpenNonBlocking(int type) {
  UniqueFd fd(static_cast<int>(socket(AF_INET, type, 0)));
  SetNonBlockingForTest(fd.get());
  return fd;
}

// An address of the loopback interface where nobody is.
inline sockaddr_in Nowhere(int type) {
  const UniqueFd fd(static_cast<int>(socket(AF_INET, type, 0)));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  bind(AsSocket(fd.get()), reinterpret_cast<sockaddr*>(&address), length);
  getsockname(AsSocket(fd.get()), reinterpret_cast<sockaddr*>(&address), &length);
  return address;
}

// Where a listener on the loopback interface is.
inline bool ListenOnLoopback(int listener, sockaddr_in* address) {
  *address = {};
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(address);
  socklen_t length = sizeof *address;
  return bind(AsSocket(listener), generic, length) == 0 && listen(AsSocket(listener), 8) == 0 &&
         getsockname(AsSocket(listener), generic, &length) == 0;
}

// Two connected stream sockets, non-blocking, closed at the end of the case.
struct SocketPair {
  int a = -1;
  int b = -1;

  SocketPair() {
#ifdef _WIN32
    int32_t fds[2];
    if (OpenLoopbackPair(AF_INET, fds) != 0) return;
#else
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) return;
#endif
    a = fds[0];
    b = fds[1];
    SetNonBlockingForTest(a);
    SetNonBlockingForTest(b);
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;
  ~SocketPair() {
    CloseA();
    CloseB();
  }
  void CloseA() { CloseEnd(&a); }
  void CloseB() { CloseEnd(&b); }

 private:
  static void CloseEnd(int* fd) {
    if (*fd >= 0) CloseDescriptor(*fd);
    *fd = -1;
  }
};

// Two UDP sockets that have each other as their peer, non-blocking.
struct DatagramPair : SocketPair {
  DatagramPair() {
    CloseA();
    CloseB();
    a = static_cast<int>(socket(AF_INET, SOCK_DGRAM, 0));
    b = static_cast<int>(socket(AF_INET, SOCK_DGRAM, 0));
    Meet(a, b);
    Meet(b, a);
    SetNonBlockingForTest(a);
    SetNonBlockingForTest(b);
  }

 private:
  static void Meet(int one, int other) {
    sockaddr_in address = {};
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof address;
    if (getsockname(AsSocket(one), generic, &length) != 0 || address.sin_port == 0) {
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      length = sizeof address;
      bind(AsSocket(one), generic, length);
      getsockname(AsSocket(one), generic, &length);
    }
    connect(AsSocket(other), generic, length);
  }
};

// Two connected TCP sockets, blocking: unlike those of a Unix pair they have urgent data.
struct TcpPair : SocketPair {
  TcpPair() {
    CloseA();
    CloseB();
    const UniqueFd listener(static_cast<int>(socket(AF_INET, SOCK_STREAM, 0)));
    sockaddr_in address;
    if (!ListenOnLoopback(listener.get(), &address)) return;
    b = static_cast<int>(socket(AF_INET, SOCK_STREAM, 0));
    if (connect(AsSocket(b), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
    a = static_cast<int>(accept(AsSocket(listener.get()), nullptr, nullptr));
  }
};

// A datagram socket that is its own peer: it receives what it sends.
inline UniqueFd OpenEcho() {
  UniqueFd fd(static_cast<int>(socket(AF_INET, SOCK_DGRAM, 0)));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof address;
  if (bind(AsSocket(fd.get()), generic, length) != 0 ||
      getsockname(AsSocket(fd.get()), generic, &length) != 0 ||
      connect(AsSocket(fd.get()), generic, length) != 0) {
    fd.Reset();
  }
  SetNonBlockingForTest(fd.get());
  return fd;
}

// The number of a socket that is not open any more.
inline int ClosedFd() {
  SocketPair pair;
  return pair.a;
}

}  // namespace fdloop

#endif  // FDLOOP_TEST_SOCKETS_H_
