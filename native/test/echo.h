// echo.h: listeners of the socket tests, and a connection from one end to the other.
#ifndef FDLOOP_TEST_ECHO_H_
#define FDLOOP_TEST_ECHO_H_

#include <errno.h>
#include <string.h>

#include <utility>

#include "base/unique_fd.h"
#include "socket/address.h"
#include "socket/socket.h"
#include "socket/system_headers.h"
#include "test/sockets.h"

namespace fdloop {

struct Name {
  uint8_t bytes[sizeof(sockaddr_storage)];
  size_t length = sizeof bytes;
};

inline int FamilyOf(const Name& name) { return DecodeAddress(name.bytes, name.length).family; }

inline const uint8_t* Bytes(const char* text) { return reinterpret_cast<const uint8_t*>(text); }

// A listening socket and its name.
inline UniqueFd Serve(const Name& address, Name* bound) {
  UniqueFd listener(OpenSocket(FamilyOf(address), SOCK_STREAM, 0));
  if (Bind(listener.get(), address.bytes, address.length) < 0) return UniqueFd();
  if (Listen(listener.get(), 5) < 0) return UniqueFd();
  return GetSocketName(listener.get(), bound->bytes, &bound->length) < 0 ? UniqueFd() : std::move(listener);
}

inline Name Loopback(int port) {
  Name name;
  name.length =
      static_cast<size_t>(EncodeInetAddress(AF_INET, "127.0.0.1", port, 0, 0, name.bytes, sizeof name.bytes));
  return name;
}

// Connects, accepts, and sends a few bytes either way.
inline bool Echo(const Name& address) {
  Name bound, peer;
  UniqueFd listener = Serve(address, &bound);
  if (!listener.IsOpen()) return false;
  UniqueFd client(OpenSocket(FamilyOf(bound), SOCK_STREAM, 0));
  if (Connect(client.get(), bound.bytes, bound.length) != 0) return false;
  UniqueFd server(Accept(listener.get(), peer.bytes, &peer.length));
  uint8_t buffer[8];
  if (Send(client.get(), Bytes("abc"), 3, 0) != 3 || !WaitReadable(server.get())) return false;
  if (Receive(server.get(), buffer, sizeof buffer, 0) != 3 || memcmp(buffer, "abc", 3) != 0) return false;
  if (Receive(server.get(), buffer, sizeof buffer, 0) != -EAGAIN) return false;
  if (Shutdown(client.get(), SHUT_WR) != 0 || !WaitReadable(server.get())) return false;
  return Receive(server.get(), buffer, sizeof buffer, 0) == 0;
}

}  // namespace fdloop

#endif  // FDLOOP_TEST_ECHO_H_
