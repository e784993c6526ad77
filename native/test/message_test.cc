// message_test.cc: messages of several buffers, what is cut, and the layout of control data.
#include "socket/message.h"

#include <errno.h>
#include <string.h>

#include "socket/system_headers.h"
#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

const uint8_t* Bytes(const void* data) { return static_cast<const uint8_t*>(data); }

}  // namespace

TEST(ChunksAreFilledInTurn) {
  SocketPair pair;
  uint8_t first[2], second[8];
  const Chunk out[] = {{Bytes("ab"), 2}, {nullptr, 0}, {Bytes("cd"), 2}};
  CHECK_EQ(SendFullMessage(pair.a, {out, 3, nullptr, 0, nullptr, 0}, 0), 4);
  CHECK(WaitReadable(pair.b));
  const Chunk in[] = {{first, 2}, {second, 8}};
  Incoming message = {in, 2, nullptr, 0, nullptr, 0, 0, 0};
  CHECK_EQ(ReceiveMessage(pair.b, &message, 0), 4);
  CHECK_EQ(memcmp(first, "ab", 2), 0);
  CHECK_EQ(memcmp(second, "cd", 2), 0);
  CHECK_EQ(ReceiveMessage(pair.b, &message, 0), -EAGAIN);
  CHECK_EQ(SendFullMessage(pair.a, {out, kMaxChunks + 1, nullptr, 0, nullptr, 0}, 0), -EMSGSIZE);
}

TEST(ControlDataThatASocketCannotSendIsRefused) {
  SocketPair pair;
  uint8_t control[64];
  const Result length = AppendControl(control, sizeof control, 0, SOL_SOCKET, 9999, Bytes("abcd"), 4);
  const Chunk out = {Bytes("x"), 1};
  CHECK(SendFullMessage(pair.a, {&out, 1, nullptr, 0, control, static_cast<size_t>(length)}, 0) < 0);
  uint8_t data[2];
  CHECK_EQ(Receive(pair.b, data, sizeof data, 0), -EAGAIN);
}

TEST(ADatagramThatIsCutSaysSo) {
  DatagramPair pair;
  CHECK_EQ(Send(pair.a, Bytes("abcd"), 4, 0), 4);
  CHECK(WaitReadable(pair.b));
  uint8_t data[2];
  const Chunk chunk = {data, sizeof data};
  Incoming message = {&chunk, 1, nullptr, 0, nullptr, 0, 0, 0};
  CHECK_EQ(ReceiveMessage(pair.b, &message, 0), 2);
  CHECK(message.flags & MSG_TRUNC);
}

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
