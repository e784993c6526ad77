// send_file_none.cc: a POSIX system whose sendfile has another shape: the caller copies.
#include <errno.h>
#include <unistd.h>

#include "socket/send_file.h"

namespace fdloop {

Result SendFile(int, int, int64_t, int64_t) { return -ENOSYS; }

Result Seek(int fd, int64_t position) { return lseek(fd, position, SEEK_SET) < 0 ? -errno : 0; }

}  // namespace fdloop
