// socket.h: the socket calls, one function each. The contract between a platform's leaf (socket_posix.cc) and
// the bridge.
//
// A function here is its system call and nothing more. What a caller may rely on, for all of them:
//
//  - The answer is zero or more on success and -errno on failure.
//  - Nothing is retried except an interrupted call (EINTR), and Connect not even then: an interrupted connect
//    goes on in the background, and a second call would answer EALREADY. An interrupted Close counts as done,
//    because the descriptor is gone and its number may already belong to someone else.
//  - A descriptor that the system makes here is close-on-exec from its first moment where the platform can do
//    that in one step, otherwise as soon as possible.
//  - Sending on a connection that the peer has closed answers -EPIPE and raises no SIGPIPE.
//  - A negative descriptor answers -EBADF.
//  - Pointers are not kept after the call. A zero length may come with any pointer, also null.
//  - A length beyond INT_MAX is taken as INT_MAX, so that every count fits a Result.
//
// Where a call writes an address, `*length` holds the room in bytes before the call and the number of bytes
// written after it, never more than the room, whatever the system would have liked to write.
//
// Not guaranteed: that a call does not block. Whether a descriptor blocks is its owner's choice; only Accept
// makes non-blocking descriptors. Constants are the platform's own and are not translated.
#ifndef FDLOOP_SOCKET_SOCKET_H_
#define FDLOOP_SOCKET_SOCKET_H_

#include <stddef.h>
#include <stdint.h>

#include "base/named_number.h"
#include "base/result.h"

namespace fdloop {

// One run of bytes to send.
struct Chunk {
  const uint8_t* data;
  size_t length;
};

// How many chunks SendGathered looks at; further ones are for the next call.
constexpr size_t kMaxChunks = 1024;

// A blocking, close-on-exec socket.
Result OpenSocket(int family, int type, int protocol);

// Two connected sockets, both blocking and close-on-exec.
Result OpenSocketPair(int family, int type, int protocol, int32_t fds[2]);

// What may be bound, and what -EADDRINUSE means, is the family's affair; options are set by the caller
// before.
Result Bind(int fd, const uint8_t* address, size_t length);

// The system caps the backlog at its own limit in silence.
Result Listen(int fd, int backlog);

// The new descriptor, close-on-exec and non-blocking. -EMFILE and -ENFILE leave the connection in the queue;
// -ECONNABORTED means that it has gone meanwhile.
Result Accept(int fd, uint8_t* address, size_t* length);

// -EINPROGRESS on a non-blocking descriptor; writability tells the end, SO_ERROR the outcome.
Result Connect(int fd, const uint8_t* address, size_t length);

// Zero is the end of a stream, or an empty datagram, or an empty buffer: the caller knows which.
Result Receive(int fd, uint8_t* data, size_t length, int flags);
Result ReceiveFrom(int fd, uint8_t* data, size_t length, int flags, uint8_t* address, size_t* address_length);

// A full buffer answers -EAGAIN on a non-blocking descriptor; a stream may take only a part.
Result Send(int fd, const uint8_t* data, size_t length, int flags);
Result SendTo(int fd, const uint8_t* data, size_t length, int flags, const uint8_t* address,
              size_t address_length);

// The flag of a send that does not wait. 0 where the system has none: there the descriptor has to be
// non-blocking.
extern const int kDoNotWait;

// Sends the chunks as one stretch of bytes (one datagram, where there are datagrams). A stream may take only
// a part, which may end inside a chunk.
Result SendGathered(int fd, const Chunk* chunks, size_t count, int flags);

// Ends a direction for everyone who has the socket, duplicates included.
Result Shutdown(int fd, int how);

// Of a descriptor of any kind. It is gone afterwards even when the answer is an error other than -EBADF.
Result Close(int fd);

Result GetSocketName(int fd, uint8_t* address, size_t* length);
Result GetPeerName(int fd, uint8_t* address, size_t* length);

// Options are bytes in the layout that the platform gives them; nothing here knows one from another.
Result GetOption(int fd, int level, int option, uint8_t* value, size_t* length);
Result SetOption(int fd, int level, int option, const uint8_t* value, size_t length);

// The descriptor's flags. The getters answer 1 or 0. "Inheritable" is the opposite of close-on-exec.
Result SetNonBlocking(int fd, bool on);
Result GetNonBlocking(int fd);
Result SetInheritable(int fd, bool on);
Result GetInheritable(int fd);

// A close-on-exec duplicate, with the lowest free number.
Result Duplicate(int fd);

// A number that tells what is open there from everything else that is, and is not 0. Duplicates share it, and
// so do the ends of a pipe and several openings of one file. On Windows -ENOTSOCK for what is no socket.
Result DescriptorIdentity(int fd, uint64_t* identity);

// Every constant of constants.cc that this platform has.
NamedNumberTable SocketConstants();

}  // namespace fdloop

#endif  // FDLOOP_SOCKET_SOCKET_H_
