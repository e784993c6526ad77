// socket_test.cc: the socket calls: what they do on a good day, what they answer on a bad one, and the flags
// of the descriptors that they make.
#include "socket/socket.h"

#include <errno.h>
#include <string.h>

#include <vector>

#include "test/echo.h"
#include "test/harness.h"

using namespace fdloop;

TEST(TcpEcho) { CHECK(Echo(Loopback(0))); }

TEST(NewDescriptorsAreNotInherited) {
  UniqueFd fd(OpenSocket(AF_INET, SOCK_STREAM, 0));
  CHECK_EQ(GetInheritable(fd.get()), 0);
  CHECK_EQ(GetNonBlocking(fd.get()), 0);
  int32_t pair[2];
  CHECK_EQ(OpenSocketPair(kPairFamily, SOCK_STREAM, 0, pair), 0);
  UniqueFd first(pair[0]), second(pair[1]);
  CHECK_EQ(GetInheritable(first.get()), 0);
  CHECK_EQ(GetInheritable(second.get()), 0);
  UniqueFd copy(Duplicate(fd.get()));
  CHECK_EQ(GetInheritable(copy.get()), 0);
}

TEST(APairIsConnected) {
  int32_t pair[2];
  CHECK_EQ(OpenSocketPair(kPairFamily, SOCK_STREAM, 0, pair), 0);
  UniqueFd first(pair[0]), second(pair[1]);
  CHECK_EQ(GetNonBlocking(first.get()), 0);
  CHECK_EQ(GetNonBlocking(second.get()), 0);
  uint8_t buffer[8];
  CHECK_EQ(Send(first.get(), Bytes("abc"), 3, 0), 3);
  CHECK_EQ(Receive(second.get(), buffer, sizeof buffer, 0), 3);
  CHECK_EQ(Send(second.get(), Bytes("de"), 2, 0), 2);
  CHECK_EQ(Receive(first.get(), buffer, sizeof buffer, 0), 2);
}

TEST(AcceptedDescriptorsAreNonBlockingToo) {
  Name bound, peer, client_name, seen;
  UniqueFd listener = Serve(Loopback(0), &bound);
  CHECK_EQ(SetNonBlocking(listener.get(), true), 0);
  CHECK_EQ(Accept(listener.get(), peer.bytes, &peer.length), -EAGAIN);
  UniqueFd client(OpenSocket(AF_INET, SOCK_STREAM, 0));
  CHECK_EQ(Connect(client.get(), bound.bytes, bound.length), 0);
  UniqueFd server(Accept(listener.get(), peer.bytes, &peer.length));
  CHECK(server.IsOpen());
  CHECK_EQ(GetInheritable(server.get()), 0);
  CHECK_EQ(GetNonBlocking(server.get()), 1);
  CHECK_EQ(GetSocketName(client.get(), client_name.bytes, &client_name.length), 0);
  CHECK_EQ(peer.length, client_name.length);
  CHECK_EQ(DecodeAddress(peer.bytes, peer.length).port,
           DecodeAddress(client_name.bytes, client_name.length).port);
  CHECK_EQ(GetPeerName(server.get(), seen.bytes, &seen.length), 0);
  CHECK_EQ(seen.length, peer.length);
}

TEST(LengthsNeverExceedTheRoom) {
  Name bound;
  UniqueFd listener = Serve(Loopback(0), &bound);
  uint8_t small[4];
  size_t length = sizeof small;
  CHECK_EQ(GetSocketName(listener.get(), small, &length), 0);
  CHECK_EQ(length, sizeof small);
  length = 0;
  CHECK_EQ(GetSocketName(listener.get(), nullptr, &length), 0);
  CHECK_EQ(length, 0);
}

TEST(RefusedConnection) {
  Name bound;
  { UniqueFd listener = Serve(Loopback(0), &bound); }
  UniqueFd client(OpenSocket(AF_INET, SOCK_STREAM, 0));
  CHECK_EQ(Connect(client.get(), bound.bytes, bound.length), -ECONNREFUSED);
}

TEST(Datagrams) {
  UniqueFd receiver(OpenSocket(AF_INET, SOCK_DGRAM, 0));
  Name any = Loopback(0), bound, from;
  CHECK_EQ(Bind(receiver.get(), any.bytes, any.length), 0);
  CHECK_EQ(GetSocketName(receiver.get(), bound.bytes, &bound.length), 0);
  UniqueFd sender(OpenSocket(AF_INET, SOCK_DGRAM, 0));
  CHECK_EQ(SendTo(sender.get(), Bytes("hello"), 5, 0, bound.bytes, bound.length), 5);
  uint8_t buffer[16];
  CHECK_EQ(ReceiveFrom(receiver.get(), buffer, sizeof buffer, 0, from.bytes, &from.length), 5);
  CHECK_EQ(DecodeAddress(from.bytes, from.length).family, AF_INET);
  CHECK_EQ(SendTo(sender.get(), nullptr, 0, 0, bound.bytes, bound.length), 0);
  CHECK_EQ(Receive(receiver.get(), buffer, sizeof buffer, 0), 0);
  CHECK_EQ(SendTo(sender.get(), buffer, 5, 0, nullptr, 0), -EDESTADDRREQ);
}

TEST(ManyChunks) {
  SocketPair pair;
  const uint8_t octet = 'x';
  std::vector<Chunk> chunks(kMaxChunks + 5, Chunk{&octet, 1});
  CHECK_EQ(SendGathered(pair.a, chunks.data(), chunks.size(), 0), kMaxChunks);
  chunks.assign({{Bytes("ab"), 2}, {nullptr, 0}, {Bytes("cde"), 3}});
  uint8_t buffer[2048];
  CHECK_EQ(Receive(pair.b, buffer, sizeof buffer, 0), kMaxChunks);
  CHECK_EQ(SendGathered(pair.a, chunks.data(), chunks.size(), 0), 5);
  CHECK_EQ(Receive(pair.b, buffer, sizeof buffer, 0), 5);
  CHECK_EQ(memcmp(buffer, "abcde", 5), 0);
  CHECK_EQ(SendGathered(pair.a, nullptr, 0, 0), 0);
}

TEST(Options) {
  UniqueFd fd(OpenSocket(AF_INET, SOCK_STREAM, 0));
  int value = 1;
  auto* bytes = reinterpret_cast<uint8_t*>(&value);
  CHECK_EQ(SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, bytes, sizeof value), 0);
  value = 0;
  size_t length = sizeof value;
  CHECK_EQ(GetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, bytes, &length), 0);
  CHECK(value != 0);
  CHECK_EQ(length, sizeof value);
  CHECK_EQ(GetOption(fd.get(), SOL_SOCKET, 99999, bytes, &length), -ENOPROTOOPT);
}

TEST(DescriptorFlags) {
  SocketPair pair;
  CHECK_EQ(SetNonBlocking(pair.a, false), 0);
  CHECK_EQ(GetNonBlocking(pair.a), 0);
  CHECK_EQ(SetNonBlocking(pair.a, true), 0);
  CHECK_EQ(GetNonBlocking(pair.a), 1);
  CHECK_EQ(SetInheritable(pair.a, true), 0);
  CHECK_EQ(GetInheritable(pair.a), 1);
  CHECK_EQ(SetInheritable(pair.a, false), 0);
  CHECK_EQ(GetInheritable(pair.a), 0);
}

TEST(BadDescriptors) {
  UniqueFd open(OpenSocket(AF_INET, SOCK_STREAM, 0));
  const int closed = Duplicate(open.get());
  CHECK_EQ(Close(closed), 0);
  uint8_t octet = 0;
  int32_t fds[2];
  const Chunk chunk = {&octet, 1};
  for (const int fd : {closed, -1, INT32_MIN, 0x7ffffff0}) {
    size_t length = 1;
    CHECK_EQ(Close(fd), -EBADF);
    CHECK_EQ(Bind(fd, &octet, 1), -EBADF);
    CHECK_EQ(Listen(fd, 1), -EBADF);
    CHECK_EQ(Accept(fd, &octet, &length), -EBADF);
    CHECK_EQ(Connect(fd, &octet, 1), -EBADF);
    CHECK_EQ(Receive(fd, &octet, 1, 0), -EBADF);
    CHECK_EQ(ReceiveFrom(fd, &octet, 1, 0, &octet, &length), -EBADF);
    CHECK_EQ(Send(fd, &octet, 1, 0), -EBADF);
    CHECK_EQ(SendTo(fd, &octet, 1, 0, nullptr, 0), -EBADF);
    CHECK_EQ(SendGathered(fd, &chunk, 1, 0), -EBADF);
    CHECK_EQ(Shutdown(fd, SHUT_RD), -EBADF);
    CHECK_EQ(GetSocketName(fd, &octet, &length), -EBADF);
    CHECK_EQ(GetPeerName(fd, &octet, &length), -EBADF);
    CHECK_EQ(GetOption(fd, SOL_SOCKET, SO_ERROR, &octet, &length), -EBADF);
    CHECK_EQ(SetOption(fd, SOL_SOCKET, SO_REUSEADDR, &octet, 1), -EBADF);
    CHECK_EQ(SetNonBlocking(fd, true), -EBADF);
    CHECK_EQ(GetNonBlocking(fd), -EBADF);
    CHECK_EQ(SetInheritable(fd, true), -EBADF);
    CHECK_EQ(GetInheritable(fd), -EBADF);
    CHECK_EQ(Duplicate(fd), -EBADF);
  }
  CHECK_EQ(OpenSocket(12345, SOCK_STREAM, 0), -EAFNOSUPPORT);
  CHECK(OpenSocketPair(12345, SOCK_STREAM, 0, fds) < 0);
}

TEST(ConstantsAreThere) {
  const NamedNumberTable table = SocketConstants();
  CHECK(table.count > 100);
  int found = 0;
  for (size_t i = 0; i < table.count; ++i) {
    for (const char* name : {"AF_INET6", "SOCK_DGRAM", "IPPROTO_TCP", "SO_REUSEADDR", "TCP_NODELAY",
                             "IPV6_V6ONLY", "MSG_PEEK", "SHUT_WR", "SOMAXCONN", "IOV_MAX"}) {
      found += strcmp(name, table.rows[i].name) == 0 ? 1 : 0;
    }
  }
  CHECK_EQ(found, 10);
}

TEST(SocketsHaveAnIdentity) {
  int32_t pair[2];
  CHECK_EQ(OpenSocketPair(kPairFamily, SOCK_STREAM, 0, pair), 0);
  UniqueFd first(pair[0]), second(pair[1]), copy(Duplicate(pair[0]));
  uint64_t one = 0, other = 0, again = 0;
  CHECK_EQ(DescriptorIdentity(first.get(), &one), 0);
  CHECK_EQ(DescriptorIdentity(second.get(), &other), 0);
  CHECK_EQ(DescriptorIdentity(copy.get(), &again), 0);
  CHECK(one != 0);
  CHECK_EQ(one, again);
#if defined(__linux__) || defined(_WIN32)
  CHECK(one != other);
#endif
  CHECK_EQ(DescriptorIdentity(-1, &one), -EBADF);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
