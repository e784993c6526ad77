// message.h: messages with everything that the system can say of them: several buffers, the other end's
// address, flags, and control data (ancillary data: descriptors, credentials, where a datagram was sent to).
// What socket.h promises for all calls is true of these too.
//
// Control data is a sequence of entries in the platform's layout: a header (length, level, type) and bytes.
// Next and Append walk and write it, from and to memory that need not be aligned.
#ifndef FDLOOP_SOCKET_MESSAGE_H_
#define FDLOOP_SOCKET_MESSAGE_H_

#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "socket/socket.h"

namespace fdloop {

// Where a received message goes. The lengths hold the room before the call, and what was written after it.
struct Incoming {
  const Chunk* chunks;  // Written to.
  size_t count;
  uint8_t* address;
  size_t address_length;
  uint8_t* control;
  size_t control_length;
  int flags;           // After the call: MSG_TRUNC, MSG_CTRUNC, MSG_EOR, ...
  size_t byte_length;  // After ReceiveMessages: the bytes of this message.
};

struct Outgoing {
  const Chunk* chunks;
  size_t count;
  const uint8_t* address;
  size_t address_length;  // 0: the connected peer.
  const uint8_t* control;
  size_t control_length;
};

// Receives one message; the answer is its length. Descriptors that come along are close-on-exec, and the
// caller's from then on. Those that found no room in `control` are closed by the system, which sets
// MSG_CTRUNC.
Result ReceiveMessage(int fd, Incoming* message, int flags);

// Sends one message as a whole (-EMSGSIZE for more than kMaxChunks chunks).
Result SendFullMessage(int fd, const Outgoing& message, int flags);

// How many messages one call moves at the most.
constexpr size_t kMaxMessages = 256;

// Receives several messages in one system call: all that are there, and does not wait for a second one. The
// answer is how many; an error only if there is not even one. -ENOSYS where there is no such call.
Result ReceiveMessages(int fd, Incoming* messages, size_t count, int flags);

// Sends several; the answer is how many, and an error only if it is none. -ENOSYS where there is no such
// call.
Result SendMessages(int fd, const Outgoing* messages, size_t count, int flags);

// The size of an entry for so many bytes: as counted in its own header (CMSG_LEN), and with the gap up to the
// next one (CMSG_SPACE). -EINVAL if it does not fit a Result.
Result ControlLength(size_t byte_count);
Result ControlSpace(size_t byte_count);

struct ControlEntry {
  int32_t level;
  int32_t type;
  size_t offset;  // Of its bytes in the control data.
  size_t length;  // As far as they are there: the last entry may be cut.
};

// Reads the entry at `offset`. The answer is the offset of the next one, or of the end; 0 if there is no
// entry at `offset`.
Result NextControl(const uint8_t* control, size_t length, size_t offset, ControlEntry* entry);

// Writes an entry at `offset`, its gap as zeros. The answer is the offset behind it; -EINVAL if there is no
// room.
Result AppendControl(uint8_t* control, size_t length, size_t offset, int level, int type,
                     const uint8_t* bytes, size_t byte_count);

}  // namespace fdloop

#endif  // FDLOOP_SOCKET_MESSAGE_H_
