// socket_posix_test.cc: what the socket calls do on POSIX systems alone: Unix sockets, signals, and
// descriptors of other kinds.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <string>

#include "test/echo.h"
#include "test/harness.h"

using namespace fdloop;

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

TEST(ClosedPeerRaisesNoSignal) {
  SocketPair pair;
  pair.CloseB();
  const Chunk chunk = {Bytes("x"), 1};
  CHECK_EQ(Send(pair.a, Bytes("x"), 1, 0), -EPIPE);
  CHECK_EQ(SendGathered(pair.a, &chunk, 1, 0), -EPIPE);
  CHECK_EQ(SendTo(pair.a, Bytes("x"), 1, 0, nullptr, 0), -EPIPE);
}

TEST(InheritableIsTheOppositeOfCloseOnExec) {
  UniqueFd fd(OpenSocket(AF_INET, SOCK_STREAM, 0));
  CHECK(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC);
  CHECK_EQ(SetInheritable(fd.get(), true), 0);
  CHECK_EQ(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(ABadOptionIsInvalid) {
  UniqueFd fd(OpenSocket(AF_INET, SOCK_STREAM, 0));
  const uint8_t byte = 1;
  CHECK_EQ(SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, &byte, 1), -EINVAL);
}

TEST(PairsOfTheInternetAreNone) {
  int32_t fds[2];
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

int main(int argc, char** argv) { return RunTests(argc, argv); }
