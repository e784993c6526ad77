// loopback_pair_windows.cc: a pair by way of a listener that lives for one connection.
#include <string.h>

#include "base/loopback_pair.h"
#include "base/unique_fd.h"
#include "base/winsock.h"
// After winsock.h.
#include <ws2tcpip.h>

namespace fdloop {

namespace {

struct Address {
  sockaddr_storage storage = {};
  int length = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address Loopback(int family) {
  Address address;
  address.storage.ss_family = static_cast<ADDRESS_FAMILY>(family);
  if (family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_addr = in6addr_loopback;
    address.length = sizeof(sockaddr_in6);
  } else {
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.length = sizeof(sockaddr_in);
  }
  return address;
}

int Number(SOCKET socket) { return socket == INVALID_SOCKET ? -1 : static_cast<int>(socket); }

UniqueFd Open(int family) {
  return UniqueFd(Number(WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                                    WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT)));
}

// Else a byte would wait for the acknowledgement of the one before, which the other side may put off.
bool SendAtOnce(const UniqueFd& end) {
  const int on = 1;
  return setsockopt(AsSocket(end.get()), IPPROTO_TCP, TCP_NODELAY, reinterpret_cast<const char*>(&on),
                    sizeof on) == 0;
}

// Else another program could bind the same port on top, and get our connection.
bool ReservePort(const UniqueFd& listener) {
  const int on = 1;
  return setsockopt(AsSocket(listener.get()), SOL_SOCKET, SO_EXCLUSIVEADDRUSE,
                    reinterpret_cast<const char*>(&on), sizeof on) == 0;
}

// Anybody on this machine can connect to the listener, so what is accepted has to be our own connector.
UniqueFd AcceptFrom(const UniqueFd& listener, const UniqueFd& connector) {
  Address own;
  if (getsockname(AsSocket(connector.get()), own.get(), &own.length) != 0) return UniqueFd();
  for (;;) {
    Address peer;
    UniqueFd accepted(Number(accept(AsSocket(listener.get()), peer.get(), &peer.length)));
    if (!accepted.IsOpen()) return accepted;
    if (peer.length == own.length && memcmp(peer.get(), own.get(), static_cast<size_t>(own.length)) == 0) {
      SetHandleInformation(reinterpret_cast<HANDLE>(AsSocket(accepted.get())), HANDLE_FLAG_INHERIT, 0);
      return accepted;
    }
  }
}

}  // namespace

Result OpenLoopbackPair(int family, int32_t fds[2]) {
  if (family != AF_INET && family != AF_INET6) return -EAFNOSUPPORT;
  const Result started = StartWinsock();
  if (started < 0) return started;
  Address address = Loopback(family);
  const UniqueFd listener = Open(family);
  if (!listener.IsOpen()) return LastWinsockFailure();
  const SOCKET listening = AsSocket(listener.get());
  if (!ReservePort(listener) || bind(listening, address.get(), address.length) != 0 ||
      listen(listening, 1) != 0 || getsockname(listening, address.get(), &address.length) != 0) {
    return LastWinsockFailure();
  }
  UniqueFd connector = Open(family);
  if (!connector.IsOpen() || connect(AsSocket(connector.get()), address.get(), address.length) != 0) {
    return LastWinsockFailure();
  }
  UniqueFd accepted = AcceptFrom(listener, connector);
  if (!accepted.IsOpen() || !SendAtOnce(accepted) || !SendAtOnce(connector)) return LastWinsockFailure();
  fds[0] = accepted.Release();
  fds[1] = connector.Release();
  return 0;
}

}  // namespace fdloop
