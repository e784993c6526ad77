// send_file_freebsd.cc: sendfile(2) as FreeBSD has it. It says how much was sent also when it fails half-way;
// and what is wanted must not be 0, which means all of it.
#include <errno.h>
#include <limits.h>
#include <sys/types.h>
// After the types that they need.
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "socket/send_file.h"

namespace fdloop {

Result SendFile(int out_fd, int in_fd, int64_t offset, int64_t count) {
  if (offset < 0 || count < 0) return -EINVAL;
  if (count == 0) return 0;
  const auto wanted = static_cast<size_t>(std::min<int64_t>(count, INT_MAX));
  for (;;) {
    off_t sent = 0;
    const int result = sendfile(in_fd, out_fd, offset, wanted, nullptr, &sent, 0);
    if (result == 0) return static_cast<Result>(sent);
    // Interrupted, or the socket is full: what has gone has gone.
    if ((errno == EAGAIN || errno == EINTR) && sent > 0) return static_cast<Result>(sent);
    if (errno != EINTR) return LastFailure();
  }
}

Result Seek(int fd, int64_t position) { return lseek(fd, position, SEEK_SET) < 0 ? LastFailure() : 0; }

}  // namespace fdloop
