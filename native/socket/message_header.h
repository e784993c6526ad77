// message_header.h: a Message in the form that the system calls of POSIX want it. For the leaves of
// message.h.
#ifndef FDLOOP_SOCKET_MESSAGE_HEADER_H_
#define FDLOOP_SOCKET_MESSAGE_HEADER_H_

#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "socket/message.h"

namespace fdloop {

#ifdef MSG_CMSG_CLOEXEC
constexpr int kReceiveFlags = MSG_CMSG_CLOEXEC;
#else
constexpr int kReceiveFlags = 0;
#endif

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;
#endif

// Fills `vectors`, which has room for all chunks, and points the header at everything.
template <typename Message>
msghdr HeaderOf(const Message& message, iovec* vectors) {
  msghdr header = {};
  for (size_t i = 0; i < message.count; ++i) {
    vectors[i].iov_base = const_cast<uint8_t*>(message.chunks[i].data);
    vectors[i].iov_len = message.chunks[i].length;
  }
  header.msg_iov = vectors;
  header.msg_iovlen = static_cast<decltype(header.msg_iovlen)>(message.count);
  if (message.address_length > 0) {
    header.msg_name = const_cast<uint8_t*>(message.address);
    header.msg_namelen = static_cast<socklen_t>(message.address_length);
  }
  if (message.control_length > 0) {
    header.msg_control = const_cast<uint8_t*>(message.control);
    header.msg_controllen = static_cast<decltype(header.msg_controllen)>(message.control_length);
  }
  return header;
}

// What a call has left in the header. The system answers the length of the address that it wanted to write.
inline void StoreHeader(const msghdr& header, size_t byte_length, Incoming* message) {
  if (header.msg_namelen < message->address_length) message->address_length = header.msg_namelen;
  message->control_length = static_cast<size_t>(header.msg_controllen);
  // Linux shows the flag that we added as one of the message.
  message->flags = header.msg_flags & ~kReceiveFlags;
  message->byte_length = byte_length;
}

}  // namespace fdloop

#endif  // FDLOOP_SOCKET_MESSAGE_HEADER_H_
