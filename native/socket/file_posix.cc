// file_posix.cc: descriptors of any kind on POSIX systems.
#include "socket/file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fdloop {

namespace {

size_t CapLength(size_t length) { return length > INT_MAX ? INT_MAX : length; }

}  // namespace

Result OpenPipe(int32_t fds[2]) {
  int ends[2];
#ifdef __APPLE__
  // Two steps, for want of pipe2: another thread's fork may slip between them.
  if (pipe(ends) < 0) return LastFailure();
  for (const int end : ends) {
    if (fcntl(end, F_SETFD, FD_CLOEXEC) == 0) continue;
    const Result failure = LastFailure();
    close(ends[0]);
    close(ends[1]);
    return failure;
  }
#else
  if (pipe2(ends, O_CLOEXEC) < 0) return LastFailure();
#endif
  fds[0] = ends[0];
  fds[1] = ends[1];
  return 0;
}

Result Read(int fd, uint8_t* data, size_t length) {
  return RetryInterrupted([&] { return read(fd, data, CapLength(length)); });
}

Result Write(int fd, const uint8_t* data, size_t length) {
  return RetryInterrupted([&] { return write(fd, data, CapLength(length)); });
}

Result FileMode(int fd) {
  struct stat status;
  return fstat(fd, &status) < 0 ? LastFailure() : static_cast<Result>(status.st_mode);
}

}  // namespace fdloop
