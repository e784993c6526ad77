// winsock.h: what every Windows leaf needs of Winsock: its start, and its errors as ours. A descriptor is the
// number of a SOCKET, which is a kernel handle: a small number, although its type has 64 bits.
#ifndef FDLOOP_BASE_WINSOCK_H_
#define FDLOOP_BASE_WINSOCK_H_

#include <winsock2.h>
// After it, because windows.h brings an older Winsock if it finds none.
#include <windows.h>

#include "base/result.h"

namespace fdloop {

inline SOCKET AsSocket(int fd) { return static_cast<SOCKET>(fd); }

// Starts Winsock for the process, once; it is never ended, because the system ends it with the process. From
// any thread.
Result StartWinsock();

// The answer for an error of Winsock or of the Windows API: a WSAE* number becomes the errno of the same
// name, but WSAEWOULDBLOCK is EAGAIN, and WSAESHUTDOWN is EPIPE, which POSIX says to a sender who has ended
// his direction. -EIO for a number that is not in the table.
Result WindowsFailure(int error);

// The answer of a socket call that has just failed.
Result LastWinsockFailure();

// The same for a call about `fd`, with -EBADF instead of -ENOTSOCK if nothing is open there at all. Winsock
// does not tell the two apart.
Result LastWinsockFailure(int fd);

// Whether `fd` is a socket: 0, -ENOTSOCK for what is open and something else, or -EBADF. Numbers of the C
// library's files (3, 5, ...) are no handles, although the system would take them for one nearby.
Result CheckSocket(int fd);

// The answer of a call of the Windows API that has just failed.
Result LastWindowsFailure();

}  // namespace fdloop

#endif  // FDLOOP_BASE_WINSOCK_H_
