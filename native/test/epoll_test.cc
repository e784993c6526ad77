// epoll_test.cc: what only epoll does: entries that outlive their descriptor, refusals, a descriptor of its
// own.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include <memory>

#include "selector/registry.h"
#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

std::unique_ptr<Selector> Make() {
  std::unique_ptr<Selector> selector;
  if (MakeEpoll(&selector) != 0) _exit(2);
  return selector;
}

bool IsReadable(int fd) {
  pollfd polled = {fd, POLLIN, 0};
  return poll(&polled, 1, 0) == 1;
}

}  // namespace

// The entry of a closed descriptor lives on in the duplicate, and what it reports is dropped.
TEST(StaleEntryOfARemovedDescriptorIsDropped) {
  auto selector = Make();
  SocketPair pair;
  const int old_fd = pair.a;
  CHECK_EQ(selector->Add(old_fd, kRead), 0);
  const int duplicate = dup(pair.a);
  pair.CloseA();
  CHECK_EQ(selector->Remove(old_fd), -EBADF);
  Put(pair.b, "x", 1);
  CHECK(IsReadable(selector->Fd()));
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  close(duplicate);
  CHECK(!IsReadable(selector->Fd()));
}

// The same with the number in use for another file: only the new registration is reported.
TEST(StaleEntryIsNotTakenForTheNewFile) {
  auto selector = Make();
  SocketPair old_pair;
  const int fd = old_pair.a;
  CHECK_EQ(selector->Add(fd, kRead), 0);
  const int duplicate = dup(fd);
  old_pair.CloseA();
  CHECK_EQ(selector->Remove(fd), -EBADF);
  SocketPair new_pair;
  const int reused = dup2(new_pair.a, fd);
  CHECK_EQ(reused, fd);
  CHECK_EQ(selector->Add(fd, kRead), 0);
  Put(old_pair.b, "x", 1);
  Event events[4];
  CHECK_EQ(selector->Wait(0, events, 4), 0);
  Put(new_pair.b, "x", 1);
  Result count = 0;
  for (int i = 0; i < 3 && count == 0; ++i) count = selector->Wait(0, events, 4);
  CHECK_EQ(count, 1);
  CHECK_EQ(events[0].fd, fd);
  CHECK_EQ(selector->Remove(fd), 0);
  close(fd);
  close(duplicate);
}

// Where the number still names the same file, the entry can be got rid of, and is.
TEST(RecoverableStaleEntryIsRemoved) {
  auto selector = Make();
  SocketPair pair;
  const int fd = pair.a;
  CHECK_EQ(selector->Add(fd, kRead), 0);
  const int duplicate = dup(fd);
  pair.CloseA();
  CHECK_EQ(selector->Remove(fd), -EBADF);
  CHECK_EQ(dup2(duplicate, fd), fd);
  Put(pair.b, "x", 1);
  Event event;
  CHECK_EQ(selector->Wait(0, &event, 1), 0);
  CHECK(!IsReadable(selector->Fd()));
  close(fd);
  close(duplicate);
}

TEST(RefusedModifyForgets) {
  auto selector = Make();
  SocketPair pair;
  const int fd = pair.a;
  CHECK_EQ(selector->Add(fd, kRead), 0);
  pair.CloseA();
  CHECK_EQ(selector->Modify(fd, kWrite), -EBADF);
  CHECK_EQ(selector->Modify(fd, kWrite), -ENOENT);
}

TEST(WhatCannotBeWatchedIsRefused) {
  auto selector = Make();
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK_EQ(selector->Add(null, kRead), -EPERM);
  CHECK_EQ(selector->Add(null, kRead), -EPERM);
  CHECK_EQ(selector->Add(selector->Fd(), kRead), -EINVAL);
  close(null);
}

TEST(OwnDescriptorTellsReadiness) {
  auto selector = Make();
  SocketPair pair;
  CHECK_EQ(selector->Add(pair.a, kRead), 0);
  CHECK(!IsReadable(selector->Fd()));
  Put(pair.b, "x", 1);
  CHECK(IsReadable(selector->Fd()));
}

TEST(SelectorsNest) {
  auto outer = Make();
  auto inner = Make();
  SocketPair pair;
  Event event;
  CHECK_EQ(inner->Add(pair.a, kRead), 0);
  CHECK_EQ(outer->Add(inner->Fd(), kRead), 0);
  Put(pair.b, "x", 1);
  CHECK_EQ(outer->Wait(-1, &event, 1), 1);
  CHECK_EQ(event.fd, inner->Fd());
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
