// wake_pipe.cc: the wake-up descriptor as a plain pipe, which every POSIX system has. Both ends are
// non-blocking: a full pipe means that a wake is pending already.
#include "base/wake_pipe.h"

#include <fcntl.h>
#include <unistd.h>

namespace fdloop {

Result WakePipe::Open() {
  int ends[2];
  if (pipe(ends) < 0) return LastFailure();
  read_end_.Reset(ends[0]);
  write_end_.Reset(ends[1]);
  for (const int end : ends) {
    if (fcntl(end, F_SETFD, FD_CLOEXEC) < 0) return LastFailure();
    if (fcntl(end, F_SETFL, O_NONBLOCK) < 0) return LastFailure();
  }
  return 0;
}

void WakePipe::Wake() {
  const char byte = 0;
  RetryInterrupted([&] { return write(write_end_.get(), &byte, 1); });
}

void WakePipe::Drain() {
  char bytes[64];
  while (RetryInterrupted([&] { return read(read_end_.get(), bytes, sizeof bytes); }) > 0) {
  }
}

}  // namespace fdloop
