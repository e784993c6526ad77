// socket_posix.cc: the socket calls on POSIX systems. One function per call; no buffering, no fallback but
// where a system lacks the one-step form of a call.
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "socket/socket.h"

namespace fdloop {

namespace {

#ifdef MSG_NOSIGNAL
constexpr int kNoSignal = MSG_NOSIGNAL;
#else
constexpr int kNoSignal = 0;
#endif

size_t CapLength(size_t length) { return length > INT_MAX ? INT_MAX : length; }

const sockaddr* AsAddress(const uint8_t* address) { return reinterpret_cast<const sockaddr*>(address); }
sockaddr* AsAddress(uint8_t* address) { return reinterpret_cast<sockaddr*>(address); }

socklen_t Room(const size_t* length) { return static_cast<socklen_t>(CapLength(*length)); }

// The system answers the length that it wanted to write; what fitted is what the caller can use.
void StoreLength(size_t* length, socklen_t wanted) {
  if (wanted < *length) *length = wanted;
}

Result UpdateFlags(int fd, int get, int set, int flag, bool on) {
  const int flags = fcntl(fd, get);
  if (flags < 0) return LastFailure();
  const int wanted = on ? flags | flag : flags & ~flag;
  // One system call less in the usual case, where the flag is as it should be.
  if (wanted == flags) return 0;
  return fcntl(fd, set, wanted) < 0 ? LastFailure() : 0;
}

// For systems that mask SIGPIPE by descriptor instead of by call. Failure is of no consequence there: the
// option exists for every kind of socket that can raise the signal.
void SuppressSignal([[maybe_unused]] int fd) {
#ifdef SO_NOSIGPIPE
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
}

#ifndef SOCK_CLOEXEC
// Two steps, for systems without the flag: another thread's fork may slip between them.
Result Finish(int fd, bool non_blocking) {
  SuppressSignal(fd);
  Result result = SetInheritable(fd, false);
  if (result >= 0) result = SetNonBlocking(fd, non_blocking);
  if (result >= 0) return fd;
  close(fd);
  return result;
}
#endif

}  // namespace

const int kDoNotWait = MSG_DONTWAIT;

Result OpenSocket(int family, int type, int protocol) {
#ifdef SOCK_CLOEXEC
  const Result fd = RetryInterrupted([&] { return socket(family, type | SOCK_CLOEXEC, protocol); });
  if (fd >= 0) SuppressSignal(fd);
  return fd;
#else
  const Result fd = RetryInterrupted([&] { return socket(family, type, protocol); });
  return fd < 0 ? fd : Finish(fd, false);
#endif
}

Result OpenSocketPair(int family, int type, int protocol, int32_t fds[2]) {
  int pair[2];
#ifdef SOCK_CLOEXEC
  const Result result =
      RetryInterrupted([&] { return socketpair(family, type | SOCK_CLOEXEC, protocol, pair); });
  if (result < 0) return result;
  SuppressSignal(pair[0]);
  SuppressSignal(pair[1]);
#else
  Result result = RetryInterrupted([&] { return socketpair(family, type, protocol, pair); });
  if (result < 0) return result;
  for (int end = 0; end < 2; ++end) {
    result = Finish(pair[end], false);
    if (result >= 0) continue;
    close(pair[1 - end]);
    return result;
  }
#endif
  fds[0] = pair[0];
  fds[1] = pair[1];
  return 0;
}

Result Bind(int fd, const uint8_t* address, size_t length) {
  return RetryInterrupted([&] { return bind(fd, AsAddress(address), Room(&length)); });
}

Result Listen(int fd, int backlog) {
  return RetryInterrupted([&] { return listen(fd, backlog); });
}

Result Accept(int fd, uint8_t* address, size_t* length) {
  // Set for each attempt: an interrupted one may have left its own idea of the length.
  socklen_t written = 0;
  const Result accepted = RetryInterrupted([&] {
    written = Room(length);
#ifdef SOCK_CLOEXEC
    return accept4(fd, AsAddress(address), &written, SOCK_CLOEXEC | SOCK_NONBLOCK);
#else
    return accept(fd, AsAddress(address), &written);
#endif
  });
  if (accepted < 0) return accepted;
  StoreLength(length, written);
#ifdef SOCK_CLOEXEC
  SuppressSignal(accepted);
  return accepted;
#else
  return Finish(accepted, true);
#endif
}

Result Connect(int fd, const uint8_t* address, size_t length) {
  // Not retried: the interrupted attempt goes on, and a second call would be refused (-EALREADY).
  return connect(fd, AsAddress(address), Room(&length)) < 0 ? LastFailure() : 0;
}

Result Receive(int fd, uint8_t* data, size_t length, int flags) {
  return RetryInterrupted([&] { return recv(fd, data, CapLength(length), flags); });
}

Result ReceiveFrom(int fd, uint8_t* data, size_t length, int flags, uint8_t* address,
                   size_t* address_length) {
  socklen_t written = 0;
  const Result received = RetryInterrupted([&] {
    written = Room(address_length);
    return recvfrom(fd, data, CapLength(length), flags, AsAddress(address), &written);
  });
  if (received >= 0) StoreLength(address_length, written);
  return received;
}

Result Send(int fd, const uint8_t* data, size_t length, int flags) {
  return RetryInterrupted([&] { return send(fd, data, CapLength(length), flags | kNoSignal); });
}

Result SendTo(int fd, const uint8_t* data, size_t length, int flags, const uint8_t* address,
              size_t address_length) {
  return RetryInterrupted([&] {
    return sendto(fd, data, CapLength(length), flags | kNoSignal, AsAddress(address), Room(&address_length));
  });
}

Result SendGathered(int fd, const Chunk* chunks, size_t count, int flags) {
  // On the stack: 16 KiB, and no allocation on the way of every write. Where the room of a Result ends, so
  // does the list, inside a chunk if need be.
  iovec vectors[kMaxChunks];
  size_t used = 0;
  size_t room = INT_MAX;
  for (; used < count && used < kMaxChunks && (room > 0 || chunks[used].length == 0); ++used) {
    const size_t length = chunks[used].length < room ? chunks[used].length : room;
    vectors[used].iov_base = const_cast<uint8_t*>(chunks[used].data);
    vectors[used].iov_len = length;
    room -= length;
  }
  // macOS refuses a message of no pieces: one that is empty stands for them.
  if (used == 0) vectors[used++] = {};
  msghdr message = {};
  message.msg_iov = vectors;
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(used);
  return RetryInterrupted([&] { return sendmsg(fd, &message, flags | kNoSignal); });
}

Result Shutdown(int fd, int how) {
  return RetryInterrupted([&] { return shutdown(fd, how); });
}

// Linux and the BSDs have let go of the descriptor by the time that they report the interruption.
Result Close(int fd) { return close(fd) < 0 && errno != EINTR ? LastFailure() : 0; }

Result GetSocketName(int fd, uint8_t* address, size_t* length) {
  socklen_t written = Room(length);
  if (getsockname(fd, AsAddress(address), &written) < 0) return LastFailure();
  StoreLength(length, written);
  return 0;
}

Result GetPeerName(int fd, uint8_t* address, size_t* length) {
  socklen_t written = Room(length);
  if (getpeername(fd, AsAddress(address), &written) < 0) return LastFailure();
  StoreLength(length, written);
  return 0;
}

Result GetOption(int fd, int level, int option, uint8_t* value, size_t* length) {
  socklen_t written = Room(length);
  if (getsockopt(fd, level, option, value, &written) < 0) return LastFailure();
  StoreLength(length, written);
  return 0;
}

Result SetOption(int fd, int level, int option, const uint8_t* value, size_t length) {
  return setsockopt(fd, level, option, value, Room(&length)) < 0 ? LastFailure() : 0;
}

Result SetNonBlocking(int fd, bool on) { return UpdateFlags(fd, F_GETFL, F_SETFL, O_NONBLOCK, on); }

Result GetNonBlocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  return flags < 0 ? LastFailure() : (flags & O_NONBLOCK) != 0;
}

Result SetInheritable(int fd, bool on) { return UpdateFlags(fd, F_GETFD, F_SETFD, FD_CLOEXEC, !on); }

Result GetInheritable(int fd) {
  const int flags = fcntl(fd, F_GETFD);
  return flags < 0 ? LastFailure() : (flags & FD_CLOEXEC) == 0;
}

Result Duplicate(int fd) {
  return RetryInterrupted([&] { return fcntl(fd, F_DUPFD_CLOEXEC, 0); });
}

Result DescriptorIdentity(int fd, uint64_t* identity) {
  struct stat status;
  if (fstat(fd, &status) < 0) return LastFailure();
  // Files are numbered by device. The numbers of devices are small: high up they are out of the way.
  const uint64_t number = static_cast<uint64_t>(status.st_ino) ^ static_cast<uint64_t>(status.st_dev) << 48;
  // Not every system numbers its sockets: there one is as good as another.
  *identity = number != 0 ? number : 1;
  return 0;
}

}  // namespace fdloop
