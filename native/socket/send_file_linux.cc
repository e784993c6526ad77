// send_file_linux.cc: sendfile(2) as Linux has it.
#include <errno.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>

#include "socket/send_file.h"

namespace fdloop {

namespace {

// What Linux sends in one call, and what a Result can count.
constexpr int64_t kMost = 0x7ffff000;

}  // namespace

Result SendFile(int out_fd, int in_fd, int64_t offset, int64_t count) {
  if (offset < 0 || count < 0) return -EINVAL;
  off_t position = offset;
  ssize_t sent;
  do {
    sent = sendfile(out_fd, in_fd, &position, static_cast<size_t>(std::min(count, kMost)));
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : static_cast<Result>(sent);
}

Result Seek(int fd, int64_t position) { return lseek(fd, position, SEEK_SET) < 0 ? -errno : 0; }

}  // namespace fdloop
