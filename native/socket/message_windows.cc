// message_windows.cc: WSARecvMsg and WSASendMsg. Windows has control data for datagrams only, and the two
// calls take nothing else: whatever comes without control data goes through WSARecvFrom and WSASendTo
// instead.
#include <string.h>

#include "socket/message.h"
#include "socket/system_headers.h"
#include "socket/winsock_shared.h"

namespace fdloop {

namespace {

// Winsock's extensions are asked from the provider of a socket. It is the same one for all that are its.
Result FindReceive(int fd, LPFN_WSARECVMSG* receive) {
  GUID name = WSAID_WSARECVMSG;
  DWORD written = 0;
  return WSAIoctl(AsSocket(fd), SIO_GET_EXTENSION_FUNCTION_POINTER, &name, sizeof name, receive,
                  sizeof *receive, &written, nullptr, nullptr) == 0
             ? 0
             : FailureOf(fd);
}

size_t Sum(const WSABUF* buffers, DWORD count) {
  size_t sum = 0;
  for (DWORD i = 0; i < count; ++i) sum += buffers[i].len;
  return sum;
}

template <typename Message>
WSAMSG HeaderOf(const Message& message, WSABUF* buffers) {
  WSAMSG header = {};
  header.lpBuffers = buffers;
  header.dwBufferCount = FillBuffers(message.chunks, message.count, buffers);
  if (message.address_length > 0) {
    header.name = reinterpret_cast<sockaddr*>(const_cast<uint8_t*>(message.address));
    header.namelen = static_cast<INT>(message.address_length);
  }
  if (message.control_length > 0) {
    header.Control.buf = reinterpret_cast<char*>(const_cast<uint8_t*>(message.control));
    header.Control.len = static_cast<ULONG>(message.control_length);
  }
  return header;
}

// What a call has left. A message that was too long has been cut, which POSIX says with a flag and not as an
// error.
Result Received(int fd, bool failed, const WSAMSG& header, DWORD received, Incoming* message) {
  DWORD flags = header.dwFlags;
  if (failed) {
    if (WSAGetLastError() != WSAEMSGSIZE) return FailureOf(fd);
    received = static_cast<DWORD>(Sum(header.lpBuffers, header.dwBufferCount));
    if ((flags & MSG_CTRUNC) == 0) flags |= MSG_TRUNC;
  }
  if (static_cast<size_t>(header.namelen) < message->address_length) {
    message->address_length = static_cast<size_t>(header.namelen);
  }
  message->control_length = header.Control.len;
  message->flags = static_cast<int>(flags);
  message->byte_length = received;
  return static_cast<Result>(received);
}

}  // namespace

Result ReceiveMessage(int fd, Incoming* message, int flags) {
  if (fd < 0) return -EBADF;
  if (message->count > kMaxChunks) return -EMSGSIZE;
  WSABUF buffers[kMaxChunks];
  sockaddr_storage name = {};
  WSAMSG header = HeaderOf(*message, buffers);
  header.name = reinterpret_cast<sockaddr*>(&name);
  header.namelen = sizeof name;
  header.dwFlags = static_cast<DWORD>(flags);
  DWORD received = 0;
  bool failed;
  if (header.Control.len > 0 && SocketType(fd) != SOCK_STREAM) {
    LPFN_WSARECVMSG receive;
    const Result found = FindReceive(fd, &receive);
    if (found < 0) return found;
    failed = receive(AsSocket(fd), &header, &received, nullptr, nullptr) != 0;
  } else {
    header.Control.len = 0;
    failed = WSARecvFrom(AsSocket(fd), buffers, header.dwBufferCount, &received, &header.dwFlags, header.name,
                         &header.namelen, nullptr, nullptr) != 0;
  }
  if (name.ss_family == AF_UNSPEC) header.namelen = 0;
  const Result result = Received(fd, failed, header, received, message);
  if (result >= 0 && message->address_length > 0) memcpy(message->address, &name, message->address_length);
  return result;
}

Result SendFullMessage(int fd, const Outgoing& message, int flags) {
  if (fd < 0) return -EBADF;
  if (message.count > kMaxChunks) return -EMSGSIZE;
  // Not left to the system: wine takes the control data of a stream, and drops it.
  if (message.control_length > 0 && SocketType(fd) == SOCK_STREAM) return -EOPNOTSUPP;
  WSABUF buffers[kMaxChunks];
  WSAMSG header = HeaderOf(message, buffers);
  const auto send_flags = static_cast<DWORD>(flags);
  DWORD sent = 0;
  const int failed = header.Control.len > 0
                         ? WSASendMsg(AsSocket(fd), &header, send_flags, &sent, nullptr, nullptr)
                         : WSASendTo(AsSocket(fd), buffers, header.dwBufferCount, &sent, send_flags,
                                     header.name, header.namelen, nullptr, nullptr);
  return failed != 0 ? FailureOf(fd) : static_cast<Result>(sent);
}

}  // namespace fdloop
