// afd.h: the question "is this socket ready?" as an asynchronous request to AFD, the kernel's driver behind
// Winsock, whose answer comes to a completion port. Says nothing about which sockets, when, or how often:
// that is iocp.cc.
//
// The request is not documented by Microsoft, but select(), WSAPoll() and libuv stand on the same one, so it
// stays as it is. It is one-shot; a socket that is ready when it is asked answers at once.
#ifndef FDLOOP_SELECTOR_AFD_H_
#define FDLOOP_SELECTOR_AFD_H_

#include "base/winsock.h"

namespace fdloop {

// What can be asked for, and what is answered.
constexpr ULONG kAfdReceive = 0x001;
constexpr ULONG kAfdReceiveExpedited = 0x002;  // Urgent data.
constexpr ULONG kAfdSend = 0x004;              // Also the success of a connect.
constexpr ULONG kAfdDisconnect = 0x008;        // The peer has ended its direction.
constexpr ULONG kAfdAbort = 0x010;             // The connection was reset.
constexpr ULONG kAfdLocalClose = 0x020;        // The last handle of the socket was closed; comes unasked.
constexpr ULONG kAfdAccept = 0x080;
constexpr ULONG kAfdConnectFail = 0x100;

// Of an answer only: the driver could not say, for a reason other than those above.
constexpr ULONG kAfdFailure = 0x80000000;

// One request. The kernel writes into it from Submit until the packet has been taken from the port, however
// the request ends; until then it must neither move nor be deleted, nor be submitted again.
class AfdRequest {
 public:
  // The request that a packet is about.
  static AfdRequest* Of(const OVERLAPPED_ENTRY& packet) {
    return reinterpret_cast<AfdRequest*>(packet.lpOverlapped);
  }

  // Asks about a base socket. After 0 one packet will come; after a failure none.
  Result Submit(HANDLE door, SOCKET base, ULONG events);

  // The packet comes soon then. It may be about the answer nevertheless.
  void Cancel(HANDLE door);

  // Whether there is an answer, perhaps before its packet has been taken.
  bool IsAnswered() const { return HasOverlappedIoCompleted(&overlapped_); }

  // The events of the answer: none if the request was cancelled.
  ULONG Answer() const;

 private:
  struct Poll {
    LARGE_INTEGER timeout;
    ULONG count;
    ULONG exclusive;
    HANDLE handle;
    ULONG events;
    LONG status;
  };

  OVERLAPPED overlapped_;  // First: packets point to it.
  Poll poll_;
};

// The doors to the driver, whose requests answer to `port`. A door is no socket, and takes requests about
// any.
class AfdDoors {
 public:
  using Door = HANDLE;

  explicit AfdDoors(HANDLE port) : port_(port) {}

  Result Open(HANDLE* door) const;
  void CancelAt(HANDLE door) const { CancelIoEx(door, nullptr); }
  void Close(HANDLE door) const { CloseHandle(door); }

 private:
  HANDLE port_;
};

// Asks a socket for another one behind it: 0, or a WSAE* number. WSAIoctl's part in FindBaseSocket.
using SocketQuery = int (*)(SOCKET socket, DWORD question, SOCKET* answer);
int QuerySocket(SOCKET socket, DWORD question, SOCKET* answer);

// The driver's own socket behind `socket`. They differ where a layered service provider (of a VPN, of a
// virus scanner) has put itself in between; some of those refuse the documented question, so others are
// tried. -ENOTSOCK for what is no socket, -ENOTSUP if the provider gives its socket away under no name.
Result FindBaseSocket(SOCKET socket, SocketQuery query, SOCKET* base);

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_AFD_H_
