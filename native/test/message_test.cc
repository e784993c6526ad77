// message_test.cc: messages with control data: what travels with the bytes, what is cut, and the layout.
#include "socket/message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/unique_fd.h"
#include "test/harness.h"
#include "test/sockets.h"

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

TEST(ChunksAreFilledInTurn) {
  Pair pair;
  uint8_t first[2], second[8];
  const Chunk out[] = {{Bytes("ab"), 2}, {nullptr, 0}, {Bytes("cd"), 2}};
  CHECK_EQ(SendFullMessage(pair.left.get(), {out, 3, nullptr, 0, nullptr, 0}, 0), 4);
  const Chunk in[] = {{first, 2}, {second, 8}};
  Incoming message = {in, 2, nullptr, 0, nullptr, 0, 0, 0};
  CHECK_EQ(ReceiveMessage(pair.right.get(), &message, 0), 4);
  CHECK_EQ(memcmp(first, "ab", 2), 0);
  CHECK_EQ(memcmp(second, "cd", 2), 0);
  CHECK_EQ(ReceiveMessage(pair.right.get(), &message, 0), -EAGAIN);
  CHECK_EQ(SendFullMessage(pair.left.get(), {out, kMaxChunks + 1, nullptr, 0, nullptr, 0}, 0), -EMSGSIZE);
}

TEST(ADatagramThatIsCutSaysSo) {
  Pair pair(SOCK_DGRAM);
  CHECK_EQ(Send(pair.left.get(), Bytes("abcd"), 4, 0), 4);
  uint8_t data[2];
  const Chunk chunk = {data, sizeof data};
  Incoming message = {&chunk, 1, nullptr, 0, nullptr, 0, 0, 0};
  CHECK_EQ(ReceiveMessage(pair.right.get(), &message, 0), 2);
  CHECK(message.flags & MSG_TRUNC);
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

TEST(ControlDataIsWalkedAsItWasWritten) {
  uint8_t memory[257];
  // Not aligned.
  uint8_t* control = memory + 1;
  const size_t sizes[] = {0, 1, 4, 12, 8};
  size_t end = 0;
  for (const size_t size : sizes) {
    const Result next =
        AppendControl(control, 256, end, 7, static_cast<int>(size), Bytes("abcdefghijkl"), size);
    CHECK_EQ(next, static_cast<Result>(end) + ControlSpace(size));
    end = static_cast<size_t>(next);
  }
  size_t offset = 0;
  ControlEntry entry = {};
  for (const size_t size : sizes) {
    offset = static_cast<size_t>(NextControl(control, end, offset, &entry));
    CHECK_EQ(entry.level, 7);
    CHECK_EQ(entry.type, static_cast<int>(size));
    CHECK_EQ(entry.length, size);
    CHECK_EQ(memcmp(control + entry.offset, "abcdefghijkl", size), 0);
  }
  CHECK_EQ(offset, end);
  CHECK_EQ(NextControl(control, end, offset, &entry), 0);
  CHECK_EQ(AppendControl(control, 256, end, 7, 7, Bytes(memory), 250), -EINVAL);
}

TEST(AnEntryThatIsCutHasWhatIsThere) {
  uint8_t control[64];
  const Result end = AppendControl(control, sizeof control, 0, 1, 2, Bytes("abcdefgh"), 8);
  CHECK(end > 0);
  ControlEntry entry = {};
  const auto cut = static_cast<size_t>(ControlLength(5));
  CHECK_EQ(NextControl(control, cut, 0, &entry), static_cast<Result>(cut));
  CHECK_EQ(entry.length, 5);
  CHECK_EQ(NextControl(control, static_cast<size_t>(ControlLength(0)) - 1, 0, &entry), 0);
  memset(control, 0, sizeof control);
  CHECK_EQ(NextControl(control, sizeof control, 0, &entry), 0);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
