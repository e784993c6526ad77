// message_batch_linux.cc: recvmmsg and sendmmsg.
#include "socket/message_header.h"

namespace fdloop {

namespace {

// On the stack, 16 KiB each, as in SendGathered: what all messages of a call share.
struct Headers {
  mmsghdr messages[kMaxMessages];
  iovec vectors[kMaxChunks];
};

// Fills the headers; the answer is how many messages fit.
template <typename Message>
size_t Fill(const Message* messages, size_t count, Headers* headers) {
  size_t used = 0;
  size_t i = 0;
  for (; i < count && i < kMaxMessages && messages[i].count <= kMaxChunks - used; ++i) {
    headers->messages[i].msg_hdr = HeaderOf(messages[i], headers->vectors + used);
    headers->messages[i].msg_len = 0;
    used += messages[i].count;
  }
  return i;
}

}  // namespace

Result ReceiveMessages(int fd, Incoming* messages, size_t count, int flags) {
  Headers headers;
  Result received = 0;
  received = RetryInterrupted([&] {
    const size_t filled = Fill(messages, count, &headers);
    return recvmmsg(fd, headers.messages, static_cast<unsigned>(filled),
                    flags | kReceiveFlags | MSG_WAITFORONE, nullptr);
  });
  for (Result i = 0; i < received; ++i) {
    StoreHeader(headers.messages[i].msg_hdr, headers.messages[i].msg_len, &messages[i]);
  }
  return received;
}

Result SendMessages(int fd, const Outgoing* messages, size_t count, int flags) {
  Headers headers;
  const size_t filled = Fill(messages, count, &headers);
  if (filled == 0 && count > 0) return -EMSGSIZE;
  return RetryInterrupted(
      [&] { return sendmmsg(fd, headers.messages, static_cast<unsigned>(filled), flags | kSendFlags); });
}

}  // namespace fdloop
