// file.h: pipes, terminals and devices: descriptors that are read and written, of whatever kind. The promises
// are those of socket.h. On Windows, where descriptors are sockets, every call answers -ENOSYS.
//
// Not guaranteed: that writing to a pipe without a reader raises no SIGPIPE. Unlike for sockets there is no
// flag that asks for it; Node ignores the signal.
#ifndef FDLOOP_SOCKET_FILE_H_
#define FDLOOP_SOCKET_FILE_H_

#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

namespace fdloop {

// A pipe: fds[0] is for reading, fds[1] for writing. Both block and are close-on-exec.
Result OpenPipe(int32_t fds[2]);

// Zero is the end of what is to be read, or an empty buffer.
Result Read(int fd, uint8_t* data, size_t length);

// A part may be taken. -EAGAIN from a non-blocking descriptor that has no room.
Result Write(int fd, const uint8_t* data, size_t length);

// The kind and the permissions of a file: st_mode.
Result FileMode(int fd);

}  // namespace fdloop

#endif  // FDLOOP_SOCKET_FILE_H_
