// socket_test.cc: the socket calls: what they do on a good day, what they answer on a bad one, and the flags
// of the descriptors that they make.
#include "socket/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "socket/address.h"
#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

struct Name {
  uint8_t bytes[sizeof(sockaddr_storage)];
  size_t length = sizeof bytes;
};

const uint8_t* Bytes(const char* text) { return reinterpret_cast<const uint8_t*>(text); }

bool IsCloseOnExec(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

bool WaitReadable(int fd) {
  pollfd polled = {fd, POLLIN, 0};
  return poll(&polled, 1, 2000) == 1;
}

// A listening socket and its name.
UniqueFd Serve(Name address, Name* bound) {
  UniqueFd listener(OpenSocket(reinterpret_cast<sockaddr*>(address.bytes)->sa_family, SOCK_STREAM, 0));
  if (Bind(listener.get(), address.bytes, address.length) < 0) return UniqueFd();
  if (Listen(listener.get(), 5) < 0) return UniqueFd();
  return GetSocketName(listener.get(), bound->bytes, &bound->length) < 0 ? UniqueFd() : std::move(listener);
}

Name Loopback(int port) {
  Name name;
  name.length =
      static_cast<size_t>(EncodeInetAddress(AF_INET, "127.0.0.1", port, 0, 0, name.bytes, sizeof name.bytes));
  return name;
}

// Connects, accepts, and sends a few bytes either way.
bool Echo(const Name& address) {
  Name bound, peer;
  UniqueFd listener = Serve(address, &bound);
  if (!listener.IsOpen()) return false;
  UniqueFd client(OpenSocket(reinterpret_cast<sockaddr*>(bound.bytes)->sa_family, SOCK_STREAM, 0));
  if (Connect(client.get(), bound.bytes, bound.length) != 0) return false;
  UniqueFd server(Accept(listener.get(), peer.bytes, &peer.length));
  uint8_t buffer[8];
  if (Send(client.get(), Bytes("abc"), 3, 0) != 3 || !WaitReadable(server.get())) return false;
  if (Receive(server.get(), buffer, sizeof buffer, 0) != 3 || memcmp(buffer, "abc", 3) != 0) return false;
  if (Receive(server.get(), buffer, sizeof buffer, 0) != -EAGAIN) return false;
  if (Shutdown(client.get(), SHUT_WR) != 0 || !WaitReadable(server.get())) return false;
  return Receive(server.get(), buffer, sizeof buffer, 0) == 0;
}

}  // namespace

TEST(TcpEcho) { CHECK(Echo(Loopback(0))); }

#ifdef __linux__
TEST(AbstractUnixEcho) {
  Name name;
  const std::string path = std::string(1, '\0') + "fdloop-test-" + std::to_string(getpid());
  name.length =
      static_cast<size_t>(EncodeUnixAddress(Bytes(path.data()), path.size(), name.bytes, sizeof name.bytes));
  CHECK(Echo(name));
}
#endif

TEST(UnixEcho) {
  Name name;
  const std::string path = "/tmp/fdloop-test-" + std::to_string(getpid());
  name.length =
      static_cast<size_t>(EncodeUnixAddress(Bytes(path.data()), path.size(), name.bytes, sizeof name.bytes));
  CHECK(Echo(name));
  Name bound;
  CHECK(!Serve(name, &bound).IsOpen());
  unlink(path.c_str());
}

TEST(NewDescriptorsAreCloseOnExec) {
  UniqueFd fd(OpenSocket(AF_INET, SOCK_STREAM, 0));
  CHECK(IsCloseOnExec(fd.get()));
  CHECK_EQ(GetNonBlocking(fd.get()), 0);
  int32_t pair[2];
  CHECK_EQ(OpenSocketPair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  UniqueFd first(pair[0]), second(pair[1]);
  CHECK(IsCloseOnExec(first.get()) && IsCloseOnExec(second.get()));
  UniqueFd copy(Duplicate(fd.get()));
  CHECK(IsCloseOnExec(copy.get()));
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
  CHECK(IsCloseOnExec(server.get()));
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
  const uint8_t byte = 'x';
  std::vector<Chunk> chunks(kMaxChunks + 5, Chunk{&byte, 1});
  CHECK_EQ(SendGathered(pair.a, chunks.data(), chunks.size(), 0), kMaxChunks);
  chunks.assign({{Bytes("ab"), 2}, {nullptr, 0}, {Bytes("cde"), 3}});
  uint8_t buffer[2048];
  CHECK_EQ(Receive(pair.b, buffer, sizeof buffer, 0), kMaxChunks);
  CHECK_EQ(SendGathered(pair.a, chunks.data(), chunks.size(), 0), 5);
  CHECK_EQ(Receive(pair.b, buffer, sizeof buffer, 0), 5);
  CHECK_EQ(memcmp(buffer, "abcde", 5), 0);
  CHECK_EQ(SendGathered(pair.a, nullptr, 0, 0), 0);
}

TEST(ClosedPeerRaisesNoSignal) {
  SocketPair pair;
  pair.CloseB();
  const Chunk chunk = {Bytes("x"), 1};
  CHECK_EQ(Send(pair.a, Bytes("x"), 1, 0), -EPIPE);
  CHECK_EQ(SendGathered(pair.a, &chunk, 1, 0), -EPIPE);
  CHECK_EQ(SendTo(pair.a, Bytes("x"), 1, 0, nullptr, 0), -EPIPE);
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
  CHECK_EQ(SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, bytes, 1), -EINVAL);
  CHECK_EQ(GetOption(fd.get(), SOL_SOCKET, 99999, bytes, &length), -ENOPROTOOPT);
}

TEST(DescriptorFlags) {
  SocketPair pair;
  CHECK_EQ(GetNonBlocking(pair.a), 1);
  CHECK_EQ(SetNonBlocking(pair.a, false), 0);
  CHECK_EQ(GetNonBlocking(pair.a), 0);
  CHECK_EQ(SetNonBlocking(pair.a, true), 0);
  CHECK_EQ(GetNonBlocking(pair.a), 1);
  CHECK_EQ(GetInheritable(pair.a), 1);
  CHECK_EQ(SetInheritable(pair.a, false), 0);
  CHECK_EQ(GetInheritable(pair.a), 0);
  CHECK_EQ(SetInheritable(pair.a, true), 0);
  CHECK_EQ(GetInheritable(pair.a), 1);
}

TEST(BadDescriptors) {
  UniqueFd open(OpenSocket(AF_INET, SOCK_STREAM, 0));
  const int closed = Duplicate(open.get());
  CHECK_EQ(Close(closed), 0);
  uint8_t byte = 0;
  int32_t fds[2];
  const Chunk chunk = {&byte, 1};
  for (const int fd : {closed, -1, INT32_MIN, INT32_MAX}) {
    size_t length = 1;
    CHECK_EQ(Close(fd), -EBADF);
    CHECK_EQ(Bind(fd, &byte, 1), -EBADF);
    CHECK_EQ(Listen(fd, 1), -EBADF);
    CHECK_EQ(Accept(fd, &byte, &length), -EBADF);
    CHECK_EQ(Connect(fd, &byte, 1), -EBADF);
    CHECK_EQ(Receive(fd, &byte, 1, 0), -EBADF);
    CHECK_EQ(ReceiveFrom(fd, &byte, 1, 0, &byte, &length), -EBADF);
    CHECK_EQ(Send(fd, &byte, 1, 0), -EBADF);
    CHECK_EQ(SendTo(fd, &byte, 1, 0, nullptr, 0), -EBADF);
    CHECK_EQ(SendGathered(fd, &chunk, 1, 0), -EBADF);
    CHECK_EQ(Shutdown(fd, SHUT_RD), -EBADF);
    CHECK_EQ(GetSocketName(fd, &byte, &length), -EBADF);
    CHECK_EQ(GetPeerName(fd, &byte, &length), -EBADF);
    CHECK_EQ(GetOption(fd, SOL_SOCKET, SO_ERROR, &byte, &length), -EBADF);
    CHECK_EQ(SetOption(fd, SOL_SOCKET, SO_REUSEADDR, &byte, 1), -EBADF);
    CHECK_EQ(SetNonBlocking(fd, true), -EBADF);
    CHECK_EQ(GetNonBlocking(fd), -EBADF);
    CHECK_EQ(SetInheritable(fd, true), -EBADF);
    CHECK_EQ(GetInheritable(fd), -EBADF);
    CHECK_EQ(Duplicate(fd), -EBADF);
  }
  CHECK_EQ(OpenSocket(12345, SOCK_STREAM, 0), -EAFNOSUPPORT);
  CHECK(OpenSocketPair(AF_INET, SOCK_STREAM, 0, fds) < 0);
}

TEST(OtherKindsOfDescriptors) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  uint8_t byte;
  CHECK_EQ(Receive(ends[0], &byte, 1, 0), -ENOTSOCK);
  CHECK_EQ(Close(ends[0]), 0);
  CHECK_EQ(Close(ends[1]), 0);
}

namespace {

void IgnoreSignal(int) {}

struct Peer {
  pthread_t target;
  int fd;
};

// Interrupts the reader a few times before it gives it a byte.
void* InterruptThenSend(void* data) {
  const auto* peer = static_cast<Peer*>(data);
  const timespec pause = {0, 5 * 1000 * 1000};
  for (int i = 0; i < 5; ++i) {
    nanosleep(&pause, nullptr);
    pthread_kill(peer->target, SIGUSR1);
  }
  Put(peer->fd, "x", 1);
  return nullptr;
}

}  // namespace

TEST(InterruptedReceiveIsRetried) {
  struct sigaction action = {};
  action.sa_handler = IgnoreSignal;
  sigaction(SIGUSR1, &action, nullptr);
  SocketPair pair;
  CHECK_EQ(SetNonBlocking(pair.a, false), 0);
  Peer peer = {pthread_self(), pair.b};
  pthread_t thread;
  CHECK_EQ(pthread_create(&thread, nullptr, InterruptThenSend, &peer), 0);
  uint8_t byte;
  const Result result = Receive(pair.a, &byte, 1, 0);
  pthread_join(thread, nullptr);
  CHECK_EQ(result, 1);
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
  CHECK_EQ(OpenSocketPair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  UniqueFd first(pair[0]), second(pair[1]), copy(Duplicate(pair[0])), file(open("/dev/null", O_RDONLY));
  uint64_t one = 0, other = 0, again = 0;
  CHECK_EQ(SocketIdentity(first.get(), &one), 0);
  CHECK_EQ(SocketIdentity(second.get(), &other), 0);
  CHECK_EQ(SocketIdentity(copy.get(), &again), 0);
  CHECK(one != 0);
  CHECK_EQ(one, again);
#ifdef __linux__
  CHECK(one != other);
#endif
  CHECK_EQ(SocketIdentity(file.get(), &one), -ENOTSOCK);
  CHECK_EQ(SocketIdentity(-1, &one), -EBADF);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
