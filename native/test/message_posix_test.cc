// message_posix_test.cc: what messages are on POSIX systems alone: descriptors that travel, batches, no
// signal.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/unique_fd.h"
#include "socket/message.h"
#include "test/harness.h"

using namespace fdloop;

namespace {

struct Pair {
  UniqueFd left, right;

  explicit Pair(int type = SOCK_STREAM) {
    int32_t fds[2];
    CHECK_EQ(OpenSocketPair(AF_UNIX, type, 0, fds), 0);
    left.Reset(fds[0]);
    right.Reset(fds[1]);
    SetNonBlocking(right.get(), true);
  }
};

const uint8_t* Bytes(const void* data) { return static_cast<const uint8_t*>(data); }

Result SendDescriptors(int fd, const int* fds, size_t count) {
  uint8_t control[256];
  const Result length =
      AppendControl(control, sizeof control, 0, SOL_SOCKET, SCM_RIGHTS, Bytes(fds), count * sizeof *fds);
  const Chunk chunk = {Bytes("x"), 1};
  return SendFullMessage(fd, {&chunk, 1, nullptr, 0, control, static_cast<size_t>(length)}, 0);
}

}  // namespace

TEST(DescriptorsTravelAndAreCloseOnExec) {
  Pair pair;
  const int sent[] = {0, 1};
  CHECK_EQ(SendDescriptors(pair.left.get(), sent, 2), 1);
  uint8_t data[8], control[64];
  const Chunk chunk = {data, sizeof data};
  Incoming message = {&chunk, 1, nullptr, 0, control, sizeof control, 0, 0};
  CHECK_EQ(ReceiveMessage(pair.right.get(), &message, 0), 1);
  CHECK_EQ(message.flags, 0);
  ControlEntry entry;
  CHECK_EQ(NextControl(control, message.control_length, 0, &entry),
           static_cast<Result>(message.control_length));
  CHECK_EQ(entry.level, SOL_SOCKET);
  CHECK_EQ(entry.type, SCM_RIGHTS);
  CHECK_EQ(entry.length, 2 * sizeof(int));
  int received[2];
  memcpy(received, control + entry.offset, sizeof received);
  UniqueFd first(received[0]), second(received[1]);
  CHECK((fcntl(first.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl(second.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST(DescriptorsWithoutRoomAreCutAndClosed) {
  Pair pair;
  UniqueFd lowest(Duplicate(0));
  const int next = lowest.get();
  lowest.Reset();
  const int sent[] = {0, 1, 2};
  CHECK_EQ(SendDescriptors(pair.left.get(), sent, 3), 1);
  uint8_t data[8];
  const Chunk chunk = {data, sizeof data};
  Incoming message = {&chunk, 1, nullptr, 0, nullptr, 0, 0, 0};
  CHECK_EQ(ReceiveMessage(pair.right.get(), &message, 0), 1);
  CHECK(message.flags & MSG_CTRUNC);
  UniqueFd again(Duplicate(0));
  CHECK_EQ(again.get(), next);
}

TEST(SendingToAClosedPeerRaisesNoSignal) {
  Pair pair;
  pair.right.Reset();
  const Chunk chunk = {Bytes("x"), 1};
  const Outgoing message = {&chunk, 1, nullptr, 0, nullptr, 0};
  CHECK_EQ(SendFullMessage(pair.left.get(), message, 0), -EPIPE);
#ifdef __linux__
  CHECK_EQ(SendMessages(pair.left.get(), &message, 1, 0), -EPIPE);
#endif
}

#ifdef __linux__
TEST(BatchesKeepTheBordersOfMessages) {
  Pair pair(SOCK_DGRAM);
  const Chunk out[] = {{Bytes("a"), 1}, {Bytes("bc"), 2}, {nullptr, 0}};
  const Outgoing outgoing[] = {{out, 1, nullptr, 0, nullptr, 0},
                               {out, 2, nullptr, 0, nullptr, 0},
                               {out + 2, 1, nullptr, 0, nullptr, 0}};
  CHECK_EQ(SendMessages(pair.left.get(), outgoing, 3, 0), 3);
  uint8_t data[4][8];
  Chunk chunks[4];
  Incoming incoming[4];
  for (size_t i = 0; i < 4; ++i) {
    chunks[i] = {data[i], sizeof data[i]};
    incoming[i] = {&chunks[i], 1, nullptr, 0, nullptr, 0, 0, 0};
  }
  CHECK_EQ(ReceiveMessages(pair.right.get(), incoming, 4, 0), 3);
  CHECK_EQ(incoming[0].byte_length, 1);
  CHECK_EQ(incoming[1].byte_length, 3);
  CHECK_EQ(incoming[2].byte_length, 0);
  CHECK_EQ(memcmp(data[1], "abc", 3), 0);
  CHECK_EQ(ReceiveMessages(pair.right.get(), incoming, 4, 0), -EAGAIN);
  // A blocking socket waits for the first message only.
  SetNonBlocking(pair.right.get(), false);
  CHECK_EQ(Send(pair.left.get(), Bytes("d"), 1, 0), 1);
  CHECK_EQ(ReceiveMessages(pair.right.get(), incoming, 4, 0), 1);
}
#endif

int main(int argc, char** argv) { return RunTests(argc, argv); }
