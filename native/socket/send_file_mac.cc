// send_file_mac.cc: sendfile(2) as macOS has it. It says how much was sent through the same number that says
// how much is wanted, also when it fails half-way; and what is wanted must not be 0, which means all of it.
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "socket/send_file.h"

namespace fdloop {

Result SendFile(int out_fd, int in_fd, int64_t offset, int64_t count) {
  if (offset < 0 || count < 0) return -EINVAL;
  if (count == 0) return 0;
  for (;;) {
    off_t sent = std::min<off_t>(count, INT_MAX);
    const int result = sendfile(in_fd, out_fd, offset, &sent, nullptr, 0);
    if (result == 0) return static_cast<Result>(sent);
    // Interrupted, or the socket is full: what has gone has gone.
    if ((errno == EAGAIN || errno == EINTR) && sent > 0) return static_cast<Result>(sent);
    if (errno != EINTR) return LastFailure();
  }
}

Result Seek(int fd, int64_t position) { return lseek(fd, position, SEEK_SET) < 0 ? LastFailure() : 0; }

}  // namespace fdloop
