// afd.cc: requests to AFD, made of calls of the Windows API alone.
#include "selector/afd.h"

#include <stdint.h>

namespace fdloop {

namespace {

constexpr DWORD kIoctlPoll = 0x00012024;
constexpr LONG kStatusCancelled = static_cast<LONG>(0xC0000120);
constexpr LONG kStatusInvalidHandle = static_cast<LONG>(0xC0000008);

// Not all SDKs have names for these.
constexpr DWORD kBaseHandle = 0x48000022;
constexpr DWORD kHandleOf[] = {
    0x4800001D,  // SIO_BSP_HANDLE_POLL
    0x4800001C,  // SIO_BSP_HANDLE_SELECT
    0x4800001B,  // SIO_BSP_HANDLE
};

// Providers lie upon one another. More than a few of them do not occur; a circle must not hang us.
constexpr int kMostLayers = 16;

}  // namespace

Result AfdRequest::Submit(HANDLE door, SOCKET base, ULONG events) {
  overlapped_ = {};
  poll_.timeout.QuadPart = INT64_MAX;
  poll_.count = 1;
  // An exclusive request would throw out those of other selectors for the same socket.
  poll_.exclusive = FALSE;
  poll_.handle = reinterpret_cast<HANDLE>(base);
  poll_.events = events;
  poll_.status = 0;
  const bool is_done =
      DeviceIoControl(door, kIoctlPoll, &poll_, sizeof poll_, &poll_, sizeof poll_, nullptr, &overlapped_);
  return is_done || GetLastError() == ERROR_IO_PENDING ? 0 : LastWindowsFailure();
}

// That it cannot be found any more means that it is answered.
void AfdRequest::Cancel(HANDLE door) {
  if (!IsAnswered()) CancelIoEx(door, &overlapped_);
}

ULONG AfdRequest::Answer() const {
  const LONG status = static_cast<LONG>(overlapped_.Internal);
  if (status == kStatusCancelled) return 0;
  if (status == kStatusInvalidHandle) return kAfdLocalClose;
  if (status < 0) return kAfdFailure;
  return poll_.count == 0 ? 0 : poll_.events;
}

// The name behind the driver's is free to choose.
Result AfdDoors::Open(HANDLE* door) const {
  const HANDLE opened =
      CreateFileW(L"\\\\.\\GLOBALROOT\\Device\\Afd\\fdloop", SYNCHRONIZE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                  nullptr, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, nullptr);
  if (opened == INVALID_HANDLE_VALUE) return LastWindowsFailure();
  // Without the mode each answer would also set an event that nobody waits for.
  if (CreateIoCompletionPort(opened, port_, 0, 0) == nullptr ||
      !SetFileCompletionNotificationModes(opened, FILE_SKIP_SET_EVENT_ON_HANDLE)) {
    const Result failure = LastWindowsFailure();
    CloseHandle(opened);
    return failure;
  }
  *door = opened;
  return 0;
}

int QuerySocket(SOCKET socket, DWORD question, SOCKET* answer) {
  DWORD length = 0;
  const int result =
      WSAIoctl(socket, question, nullptr, 0, answer, sizeof *answer, &length, nullptr, nullptr);
  return result == 0 ? 0 : WSAGetLastError();
}

Result FindBaseSocket(SOCKET socket, SocketQuery query, SOCKET* base) {
  for (int layer = 0; layer < kMostLayers; ++layer) {
    const int error = query(socket, kBaseHandle, base);
    if (error == 0) return 0;
    if (error == WSAENOTSOCK) return -ENOTSOCK;
    // One layer down, if a question that is there for another purpose gives it away.
    SOCKET next = socket;
    for (const DWORD question : kHandleOf) {
      SOCKET answer = socket;
      if (query(socket, question, &answer) != 0 || answer == socket) continue;
      next = answer;
      break;
    }
    if (next == socket) break;
    socket = next;
  }
  return -ENOTSUP;
}

}  // namespace fdloop
