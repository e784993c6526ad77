// winsock_buffers.h: chunks in the form that Winsock's gathering and scattering calls want them. For the
// leaves of socket.h and message.h on Windows.
#ifndef FDLOOP_SOCKET_WINSOCK_SHARED_H_
#define FDLOOP_SOCKET_WINSOCK_SHARED_H_

#include <limits.h>

#include "base/winsock.h"
#include "socket/socket.h"

namespace fdloop {

// Fills `buffers`, which has room for kMaxChunks, and answers how many are used: as many chunks as there is
// room for. Where the room of a Result ends, so does the list, inside a chunk if need be.
inline DWORD FillBuffers(const Chunk* chunks, size_t count, WSABUF* buffers) {
  DWORD used = 0;
  size_t room = INT_MAX;
  for (; used < count && used < kMaxChunks && (room > 0 || chunks[used].length == 0); ++used) {
    const size_t length = chunks[used].length < room ? chunks[used].length : room;
    buffers[used] = {static_cast<ULONG>(length),
                     reinterpret_cast<char*>(const_cast<uint8_t*>(chunks[used].data))};
    room -= length;
  }
  return used;
}

// SOCK_STREAM and its like, or -errno. The error of the call before stays where it was.
inline Result SocketType(int fd) {
  int type = 0;
  int length = sizeof type;
  const int error = WSAGetLastError();
  const int failed = getsockopt(AsSocket(fd), SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &length);
  const Result result = failed != 0 ? LastWinsockFailure(fd) : type;
  WSASetLastError(error);
  return result;
}

// The answer of a call about `fd` that has just failed. Some calls look at their other arguments first, and
// say that those are wrong where there is no socket at all.
inline Result FailureOf(int fd) {
  const int error = WSAGetLastError();
  if (error == WSAEWOULDBLOCK) return -EAGAIN;
  const Result type = SocketType(fd);
  if (type < 0) return type;
  // What a connected socket for datagrams learns of its peer is that there is none. POSIX calls it by the
  // name that connections have for it.
  return error == WSAECONNRESET && type == SOCK_DGRAM ? -ECONNREFUSED : WindowsFailure(error);
}

}  // namespace fdloop

#endif  // FDLOOP_SOCKET_WINSOCK_SHARED_H_
