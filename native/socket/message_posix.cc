// message_posix.cc: recvmsg and sendmsg with all their parts.
#include <string.h>

#include "socket/message_header.h"

namespace fdloop {

namespace {

// macOS refuses a message of no pieces: one that is empty stands for them.
void TakeAtLeastOne(msghdr* header) {
  if (header->msg_iovlen > 0) return;
  header->msg_iov[0] = {};
  header->msg_iovlen = 1;
}

#ifndef MSG_CMSG_CLOEXEC
// Two steps, for systems without the flag: another thread's fork may slip between them.
void CloseOnExec(const Incoming& message) {
  ControlEntry entry;
  for (Result next, at = 0; (next = NextControl(message.control, message.control_length, at, &entry)) > 0;
       at = next) {
    if (entry.level != SOL_SOCKET || entry.type != SCM_RIGHTS) continue;
    for (size_t i = 0; i + sizeof(int) <= entry.length; i += sizeof(int)) {
      int fd;
      memcpy(&fd, message.control + entry.offset + i, sizeof fd);
      SetInheritable(fd, false);
    }
  }
}
#endif

}  // namespace

Result ReceiveMessage(int fd, Incoming* message, int flags) {
  if (message->count > kMaxChunks) return -EMSGSIZE;
  iovec vectors[kMaxChunks];
  msghdr header = {};
  // Set for each attempt: an interrupted one may have left its own idea of the lengths.
  const Result received = RetryInterrupted([&] {
    header = HeaderOf(*message, vectors);
    TakeAtLeastOne(&header);
    return recvmsg(fd, &header, flags | kReceiveFlags);
  });
  if (received < 0) return received;
  StoreHeader(header, static_cast<size_t>(received), message);
#ifndef MSG_CMSG_CLOEXEC
  CloseOnExec(*message);
#endif
  return received;
}

Result SendFullMessage(int fd, const Outgoing& message, int flags) {
  if (message.count > kMaxChunks) return -EMSGSIZE;
  iovec vectors[kMaxChunks];
  msghdr header = HeaderOf(message, vectors);
  TakeAtLeastOne(&header);
  return RetryInterrupted([&] { return sendmsg(fd, &header, flags | kSendFlags); });
}

}  // namespace fdloop
