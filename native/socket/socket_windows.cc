// socket_windows.cc: the socket calls on Winsock. What Winsock does in another way than POSIX is put right
// here, so that the callers need not know:
//
//  - a connection that goes on in the background is -EINPROGRESS, as everywhere, and not -EAGAIN;
//  - a datagram that is longer than its room is cut and received, not an error that has eaten it;
//  - SO_ERROR gives an errno;
//  - a socket that is not bound has the name of its family with nothing in it;
//  - a datagram that found nobody is reported to a connected socket (-ECONNREFUSED) and to no other;
//  - Winsock never tells whether a socket blocks, and has no number for what two duplicates share. What this
//    file has made and set is remembered here instead. A socket that was made elsewhere counts as blocking
//    until somebody says otherwise.
#include <limits.h>
#include <string.h>

#include <mutex>
#include <unordered_map>

#include "base/loopback_pair.h"
#include "socket/socket.h"
#include "socket/system_headers.h"
#include "socket/winsock_shared.h"

namespace fdloop {

namespace {

// --- What Winsock does not remember
// -----------------------------------------------------------------------------

struct Memory {
  uint64_t identity;
  bool is_non_blocking;
};

std::mutex memories_mutex;
uint64_t last_identity = 0;

// Never destroyed: threads may outlive the module's static objects.
std::unordered_map<int, Memory>& Memories() {
  static auto* memories = new std::unordered_map<int, Memory>;
  return *memories;
}

// The memory of an open socket, made at the first look if another has opened it.
template <typename Use>
void WithMemory(int fd, Use use) {
  const std::lock_guard<std::mutex> lock(memories_mutex);
  const auto [place, is_new] = Memories().try_emplace(fd, Memory{last_identity + 1, false});
  if (is_new) ++last_identity;
  use(&place->second);
}

void Forget(int fd) {
  const std::lock_guard<std::mutex> lock(memories_mutex);
  Memories().erase(fd);
}

// --- Small parts
// ------------------------------------------------------------------------------------------------

const sockaddr* AsAddress(const uint8_t* address) { return reinterpret_cast<const sockaddr*>(address); }

HANDLE AsHandle(int fd) { return reinterpret_cast<HANDLE>(AsSocket(fd)); }

int Room(size_t length) { return length > INT_MAX ? INT_MAX : static_cast<int>(length); }

ULONG CapLength(size_t length) { return static_cast<ULONG>(Room(length)); }

void StoreLength(size_t* length, int wanted) {
  if (wanted >= 0 && static_cast<size_t>(wanted) < *length) *length = static_cast<size_t>(wanted);
}

// Whether a socket for datagrams learns that an earlier one found nobody.
void ReportResets(SOCKET socket, bool on) {
  BOOL report = on ? TRUE : FALSE;
  DWORD written = 0;
  WSAIoctl(socket, SIO_UDP_CONNRESET, &report, sizeof report, nullptr, 0, &written, nullptr, nullptr);
}

// What getsockname and its like answer when there is too little room is nothing, where POSIX answers what
// fits. So they write here.
template <typename Call>
Result WithName(int fd, uint8_t* address, size_t* length, Call call) {
  sockaddr_storage name = {};
  int written = sizeof name;
  const auto answer = call(reinterpret_cast<sockaddr*>(&name), &written);
  if (answer == static_cast<decltype(answer)>(SOCKET_ERROR)) return FailureOf(fd);
  StoreLength(length, written);
  if (*length > 0) memcpy(address, &name, *length);
  return static_cast<Result>(answer);
}

// The name of a socket that has none yet: its family, and nothing else. Winsock calls it an error to ask.
int UnboundName(int fd, sockaddr* name, int* written) {
  WSAPROTOCOL_INFOW info;
  int length = sizeof info;
  if (getsockopt(AsSocket(fd), SOL_SOCKET, SO_PROTOCOL_INFOW, reinterpret_cast<char*>(&info), &length) != 0) {
    return SOCKET_ERROR;
  }
  memset(name, 0, static_cast<size_t>(*written));
  name->sa_family = static_cast<ADDRESS_FAMILY>(info.iAddressFamily);
  if (info.iMaxSockAddr < *written) *written = info.iMaxSockAddr;
  return 0;
}

// The descriptor of a new socket, or its end and -errno.
Result Adopt(SOCKET socket) {
  if (socket > INT_MAX) {
    closesocket(socket);
    return -EMFILE;
  }
  const auto fd = static_cast<int>(socket);
  // Whatever was remembered of the number is about a socket that another has closed.
  Forget(fd);
  const Result result = SetInheritable(fd, false);
  if (result >= 0) return fd;
  Close(fd);
  return result;
}

// The same, and whether it blocks.
Result Adopt(SOCKET socket, bool non_blocking) {
  const Result fd = Adopt(socket);
  const Result result = fd < 0 ? fd : SetNonBlocking(fd, non_blocking);
  if (result >= 0) return fd;
  if (fd >= 0) Close(fd);
  return result;
}

}  // namespace

const int kDoNotWait = 0;

// --- Opening and closing
// ----------------------------------------------------------------------------------------

Result OpenSocket(int family, int type, int protocol) {
  const Result started = StartWinsock();
  if (started < 0) return started;
  const SOCKET socket =
      WSASocketW(family, type, protocol, nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return LastWinsockFailure();
  if (type == SOCK_DGRAM) ReportResets(socket, false);
  return Adopt(socket, false);
}

// Two ends of a connection through the loopback interface: Windows has no other pairs.
Result OpenSocketPair(int family, int type, int protocol, int32_t fds[2]) {
  if (family != AF_INET && family != AF_INET6) return -EAFNOSUPPORT;
  if (type != SOCK_STREAM) return -EPROTONOSUPPORT;
  if (protocol != 0 && protocol != IPPROTO_TCP) return -EPROTONOSUPPORT;
  const Result opened = OpenLoopbackPair(family, fds);
  if (opened < 0) return opened;
  for (int end = 0; end < 2; ++end) {
    const Result result = Adopt(AsSocket(fds[end]), false);
    if (result >= 0) continue;
    Close(fds[1 - end]);
    return result;
  }
  return 0;
}

Result Close(int fd) {
  if (fd < 0) return -EBADF;
  // What is no socket is not closed.
  const Result type = SocketType(fd);
  if (type < 0) return type;
  // Before: once it is closed, another thread may be given the number, and remember something of it.
  Forget(fd);
  return closesocket(AsSocket(fd)) == 0 ? 0 : FailureOf(fd);
}

Result Duplicate(int fd) {
  if (fd < 0) return -EBADF;
  WSAPROTOCOL_INFOW info;
  if (WSADuplicateSocketW(AsSocket(fd), GetCurrentProcessId(), &info) != 0) return FailureOf(fd);
  const SOCKET socket = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
                                   WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return LastWinsockFailure();
  Memory original = {};
  WithMemory(fd, [&](Memory* memory) { original = *memory; });
  // Whether they block is one thing for both.
  const Result copy = Adopt(socket);
  if (copy >= 0) WithMemory(copy, [&](Memory* memory) { *memory = original; });
  return copy;
}

Result DescriptorIdentity(int fd, uint64_t* identity) {
  if (fd < 0) return -EBADF;
  const Result type = SocketType(fd);
  if (type < 0) return type;
  WithMemory(fd, [&](Memory* memory) { *identity = memory->identity; });
  return 0;
}

// --- Connections
// ------------------------------------------------------------------------------------------------

Result Bind(int fd, const uint8_t* address, size_t length) {
  if (fd < 0) return -EBADF;
  return bind(AsSocket(fd), AsAddress(address), Room(length)) == 0 ? 0 : FailureOf(fd);
}

Result Listen(int fd, int backlog) {
  if (fd < 0) return -EBADF;
  return listen(AsSocket(fd), backlog) == 0 ? 0 : FailureOf(fd);
}

Result Accept(int fd, uint8_t* address, size_t* length) {
  if (fd < 0) return -EBADF;
  sockaddr_storage name = {};
  int written = sizeof name;
  const SOCKET socket = accept(AsSocket(fd), reinterpret_cast<sockaddr*>(&name), &written);
  if (socket == INVALID_SOCKET) {
    // The connection that was at the head of the queue is gone; POSIX has a name of its own for that.
    return WSAGetLastError() == WSAECONNRESET ? -ECONNABORTED : FailureOf(fd);
  }
  const Result accepted = Adopt(socket, true);
  if (accepted < 0) return accepted;
  StoreLength(length, written);
  if (*length > 0) memcpy(address, &name, *length);
  return accepted;
}

Result Connect(int fd, const uint8_t* address, size_t length) {
  if (fd < 0) return -EBADF;
  if (connect(AsSocket(fd), AsAddress(address), Room(length)) == 0) {
    if (SocketType(fd) == SOCK_DGRAM) ReportResets(AsSocket(fd), true);
    return 0;
  }
  return WSAGetLastError() == WSAEWOULDBLOCK ? -EINPROGRESS : FailureOf(fd);
}

Result Shutdown(int fd, int how) {
  if (fd < 0) return -EBADF;
  return shutdown(AsSocket(fd), how) == 0 ? 0 : FailureOf(fd);
}

Result GetSocketName(int fd, uint8_t* address, size_t* length) {
  if (fd < 0) return -EBADF;
  return WithName(fd, address, length, [&](sockaddr* name, int* written) {
    const int failed = getsockname(AsSocket(fd), name, written);
    return failed != 0 && WSAGetLastError() == WSAEINVAL ? UnboundName(fd, name, written) : failed;
  });
}

Result GetPeerName(int fd, uint8_t* address, size_t* length) {
  if (fd < 0) return -EBADF;
  return WithName(fd, address, length,
                  [&](sockaddr* name, int* written) { return getpeername(AsSocket(fd), name, written); });
}

// --- Bytes
// ------------------------------------------------------------------------------------------------------

Result Receive(int fd, uint8_t* data, size_t length, int flags) {
  if (fd < 0) return -EBADF;
  const int room = Room(length);
  const int received = recv(AsSocket(fd), reinterpret_cast<char*>(data), room, flags);
  if (received >= 0) return received;
  return WSAGetLastError() == WSAEMSGSIZE ? room : FailureOf(fd);
}

Result ReceiveFrom(int fd, uint8_t* data, size_t length, int flags, uint8_t* address,
                   size_t* address_length) {
  if (fd < 0) return -EBADF;
  WSABUF buffer = {CapLength(length), reinterpret_cast<char*>(data)};
  sockaddr_storage name = {};
  int written = sizeof name;
  DWORD received = 0;
  auto out_flags = static_cast<DWORD>(flags);
  if (WSARecvFrom(AsSocket(fd), &buffer, 1, &received, &out_flags, reinterpret_cast<sockaddr*>(&name),
                  &written, nullptr, nullptr) != 0) {
    if (WSAGetLastError() != WSAEMSGSIZE) return FailureOf(fd);
    received = buffer.len;
  }
  // A stream has no sender's name, and leaves no word about its length.
  StoreLength(address_length, name.ss_family == AF_UNSPEC ? 0 : written);
  if (*address_length > 0) memcpy(address, &name, *address_length);
  return static_cast<Result>(received);
}

Result Send(int fd, const uint8_t* data, size_t length, int flags) {
  if (fd < 0) return -EBADF;
  const int sent = send(AsSocket(fd), reinterpret_cast<const char*>(data), Room(length), flags);
  return sent >= 0 ? sent : FailureOf(fd);
}

Result SendTo(int fd, const uint8_t* data, size_t length, int flags, const uint8_t* address,
              size_t address_length) {
  if (fd < 0) return -EBADF;
  const int sent = sendto(AsSocket(fd), reinterpret_cast<const char*>(data), Room(length), flags,
                          AsAddress(address), Room(address_length));
  if (sent >= 0) return sent;
  const Result failure = FailureOf(fd);
  // Without a peer there is nowhere to send to. Winsock has other names for that, not always the same.
  int peer_length = 0;
  const bool has_target = address_length > 0 || getpeername(AsSocket(fd), nullptr, &peer_length) == 0 ||
                          WSAGetLastError() != WSAENOTCONN;
  return !has_target && SocketType(fd) == SOCK_DGRAM ? -EDESTADDRREQ : failure;
}

Result SendGathered(int fd, const Chunk* chunks, size_t count, int flags) {
  if (fd < 0) return -EBADF;
  WSABUF buffers[kMaxChunks];
  const DWORD used = FillBuffers(chunks, count, buffers);
  DWORD sent = 0;
  if (WSASend(AsSocket(fd), buffers, used, &sent, static_cast<DWORD>(flags), nullptr, nullptr) != 0) {
    return FailureOf(fd);
  }
  return static_cast<Result>(sent);
}

// --- Options and flags
// ------------------------------------------------------------------------------------------

Result GetOption(int fd, int level, int option, uint8_t* value, size_t* length) {
  if (fd < 0) return -EBADF;
  int written = Room(*length);
  // Some options are a single byte long although everybody hands in an int, and must then be all of it.
  if (*length > 0) memset(value, 0, *length);
  if (getsockopt(AsSocket(fd), level, option, reinterpret_cast<char*>(value), &written) != 0) {
    return FailureOf(fd);
  }
  int number = 0;
  if (written > 0 && static_cast<size_t>(written) < sizeof number && *length == sizeof number) {
    written = sizeof number;
  }
  StoreLength(length, written);
  if (level == SOL_SOCKET && option == SO_ERROR && *length == sizeof number) {
    memcpy(&number, value, sizeof number);
    if (number != 0) number = -WindowsFailure(number);
    memcpy(value, &number, sizeof number);
  }
  return 0;
}

Result SetOption(int fd, int level, int option, const uint8_t* value, size_t length) {
  if (fd < 0) return -EBADF;
  return setsockopt(AsSocket(fd), level, option, reinterpret_cast<const char*>(value), Room(length)) == 0
             ? 0
             : FailureOf(fd);
}

Result SetNonBlocking(int fd, bool on) {
  if (fd < 0) return -EBADF;
  u_long mode = on ? 1 : 0;
  if (ioctlsocket(AsSocket(fd), static_cast<long>(FIONBIO), &mode) != 0) return FailureOf(fd);
  WithMemory(fd, [&](Memory* memory) { memory->is_non_blocking = on; });
  return 0;
}

Result GetNonBlocking(int fd) {
  if (fd < 0) return -EBADF;
  const Result type = SocketType(fd);
  if (type < 0) return type;
  bool is_non_blocking = false;
  WithMemory(fd, [&](Memory* memory) { is_non_blocking = memory->is_non_blocking; });
  return is_non_blocking;
}

// The flag of a handle, so it is asked first whether the handle is a socket at all.
Result SetInheritable(int fd, bool on) {
  if (fd < 0) return -EBADF;
  const Result type = SocketType(fd);
  if (type < 0) return type;
  const DWORD flag = on ? HANDLE_FLAG_INHERIT : 0;
  return SetHandleInformation(AsHandle(fd), HANDLE_FLAG_INHERIT, flag) != 0 ? 0 : LastWindowsFailure();
}

Result GetInheritable(int fd) {
  if (fd < 0) return -EBADF;
  const Result type = SocketType(fd);
  if (type < 0) return type;
  DWORD flags = 0;
  if (GetHandleInformation(AsHandle(fd), &flags) == 0) return LastWindowsFailure();
  return (flags & HANDLE_FLAG_INHERIT) != 0;
}

}  // namespace fdloop
