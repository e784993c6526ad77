// send_file.h: from a file to a socket inside the kernel. One leaf per system; the one without the call
// answers -ENOSYS, and the caller copies instead.
#ifndef FDLOOP_SOCKET_SEND_FILE_H_
#define FDLOOP_SOCKET_SEND_FILE_H_

#include <stdint.h>

#include "base/result.h"

namespace fdloop {

// Sends up to `count` bytes of the file from `offset` on. The file's own position is neither used nor moved.
// Answers the number of bytes, 0 at the end of the file. EINTR is retried.
Result SendFile(int out_fd, int in_fd, int64_t offset, int64_t count);

// Moves the position of a descriptor. Answers 0; -ESPIPE for what has none, -ENOSYS where
// the number of a file means nothing here.
Result Seek(int fd, int64_t position);

}  // namespace fdloop

#endif  // FDLOOP_SOCKET_SEND_FILE_H_
