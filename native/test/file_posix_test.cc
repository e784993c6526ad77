// file_posix_test.cc: pipes and devices: what is read, written and told of them.
#include "socket/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "socket/socket.h"
#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

struct Pipe {
  UniqueFd in;
  UniqueFd out;

  Pipe() {
    int32_t fds[2] = {-1, -1};
    OpenPipe(fds);
    in.Reset(fds[0]);
    out.Reset(fds[1]);
  }
};

constexpr uint8_t kText[] = {'p', 'i', 'p', 'e'};

}  // namespace

TEST(APipeBlocksAndIsCloseOnExec) {
  const Pipe pipe;
  for (const int fd : {pipe.in.get(), pipe.out.get()}) {
    CHECK_EQ(GetInheritable(fd), 0);
    CHECK_EQ(GetNonBlocking(fd), 0);
  }
}

TEST(WhatIsWrittenCanBeReadUpToTheEnd) {
  Pipe pipe;
  uint8_t bytes[8] = {};
  CHECK_EQ(Write(pipe.out.get(), kText, sizeof kText), 4);
  CHECK_EQ(Read(pipe.in.get(), bytes, 3), 3);
  CHECK_EQ(Read(pipe.in.get(), bytes, sizeof bytes), 1);
  CHECK_EQ(bytes[0], 'e');
  pipe.out.Reset();
  CHECK_EQ(Read(pipe.in.get(), bytes, sizeof bytes), 0);
}

TEST(WhatWouldBlockSaysSo) {
  const Pipe pipe;
  uint8_t bytes[4096] = {};
  CHECK_EQ(SetNonBlocking(pipe.in.get(), true), 0);
  CHECK_EQ(SetNonBlocking(pipe.out.get(), true), 0);
  CHECK_EQ(Read(pipe.in.get(), bytes, sizeof bytes), -EAGAIN);
  int written = 0;
  while (written >= 0) written = Write(pipe.out.get(), bytes, sizeof bytes);
  CHECK_EQ(written, -EAGAIN);
}

TEST(APipeWithoutAReaderIsBroken) {
  signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.in.Reset();
  CHECK_EQ(Write(pipe.out.get(), kText, sizeof kText), -EPIPE);
}

TEST(TheModeTellsTheKind) {
  const Pipe pipe;
  const SocketPair sockets;
  const UniqueFd device(open("/dev/null", O_RDWR | O_CLOEXEC));
  const UniqueFd folder(open("/", O_RDONLY | O_CLOEXEC));
  CHECK(S_ISFIFO(FileMode(pipe.in.get())));
  CHECK(S_ISSOCK(FileMode(sockets.a)));
  CHECK(S_ISCHR(FileMode(device.get())));
  CHECK(S_ISDIR(FileMode(folder.get())));
}

TEST(NothingIsOpenThere) {
  uint8_t byte = 0;
  CHECK_EQ(Read(-1, &byte, 1), -EBADF);
  CHECK_EQ(Write(-1, &byte, 1), -EBADF);
  CHECK_EQ(FileMode(-1), -EBADF);
}

TEST(PipesHaveAnIdentity) {
  const Pipe pipe, other;
  const UniqueFd copy(Duplicate(pipe.in.get()));
  uint64_t one = 0, another = 0, again = 0;
  CHECK_EQ(DescriptorIdentity(pipe.in.get(), &one), 0);
  CHECK_EQ(DescriptorIdentity(other.in.get(), &another), 0);
  CHECK_EQ(DescriptorIdentity(copy.get(), &again), 0);
  CHECK(one != 0);
  CHECK(one != another);
  CHECK_EQ(one, again);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
