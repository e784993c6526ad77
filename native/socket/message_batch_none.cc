// message_batch_none.cc: for systems without recvmmsg and sendmmsg: TypeScript takes one message after the
// other.
#include "socket/message.h"

namespace fdloop {

Result ReceiveMessages(int, Incoming*, size_t, int) { return -ENOSYS; }

Result SendMessages(int, const Outgoing*, size_t, int) { return -ENOSYS; }

}  // namespace fdloop
