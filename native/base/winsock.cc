// winsock.cc: the start, and the table of errors.
#include "base/winsock.h"

namespace fdloop {

namespace {

struct Row {
  int system;  // Of Winsock or of the Windows API: their numbers do not overlap.
  int number;
};

// The C library lacks an errno for some: there it is the nearest in meaning.
constexpr Row kRows[] = {
    {WSAEINTR, EINTR},
    {WSAEBADF, EBADF},
    {WSAEACCES, EACCES},
    {WSAEFAULT, EFAULT},
    {WSAEINVAL, EINVAL},
    {WSAEMFILE, EMFILE},
    {WSAEWOULDBLOCK, EAGAIN},
    {WSAEINPROGRESS, EINPROGRESS},
    {WSAEALREADY, EALREADY},
    {WSAENOTSOCK, ENOTSOCK},
    {WSAEDESTADDRREQ, EDESTADDRREQ},
    {WSAEMSGSIZE, EMSGSIZE},
    {WSAEPROTOTYPE, EPROTOTYPE},
    {WSAENOPROTOOPT, ENOPROTOOPT},
    {WSAEPROTONOSUPPORT, EPROTONOSUPPORT},
    {WSAESOCKTNOSUPPORT, EPROTONOSUPPORT},
    {WSAEOPNOTSUPP, EOPNOTSUPP},
    {WSAEPFNOSUPPORT, EAFNOSUPPORT},
    {WSAEAFNOSUPPORT, EAFNOSUPPORT},
    {WSAEADDRINUSE, EADDRINUSE},
    {WSAEADDRNOTAVAIL, EADDRNOTAVAIL},
    {WSAENETDOWN, ENETDOWN},
    {WSAENETUNREACH, ENETUNREACH},
    {WSAENETRESET, ENETRESET},
    {WSAECONNABORTED, ECONNABORTED},
    {WSAECONNRESET, ECONNRESET},
    {WSAENOBUFS, ENOBUFS},
    {WSAEISCONN, EISCONN},
    {WSAENOTCONN, ENOTCONN},
    {WSAESHUTDOWN, EPIPE},
    {WSAETIMEDOUT, ETIMEDOUT},
    {WSAECONNREFUSED, ECONNREFUSED},
    {WSAELOOP, ELOOP},
    {WSAENAMETOOLONG, ENAMETOOLONG},
    {WSAEHOSTDOWN, EHOSTUNREACH},
    {WSAEHOSTUNREACH, EHOSTUNREACH},
    {WSAENOTEMPTY, ENOTEMPTY},
    {WSAEPROCLIM, EAGAIN},
    {WSASYSNOTREADY, ENETDOWN},
    {WSAECANCELLED, ECANCELED},
    {ERROR_INVALID_HANDLE, EBADF},
    {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
    {ERROR_OUTOFMEMORY, ENOMEM},
    {ERROR_COMMITMENT_LIMIT, ENOMEM},
    {ERROR_NO_SYSTEM_RESOURCES, ENOBUFS},
    {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
    {ERROR_ACCESS_DENIED, EACCES},
    {ERROR_FILE_NOT_FOUND, ENOENT},
    {ERROR_PATH_NOT_FOUND, ENOENT},
    {ERROR_INVALID_PARAMETER, EINVAL},
    {ERROR_INVALID_FUNCTION, ENOTSUP},
    {ERROR_NOT_SUPPORTED, ENOTSUP},
    {ERROR_OPERATION_ABORTED, ECANCELED},
};

}  // namespace

Result StartWinsock() {
  static const int failure = [] {
    WSADATA data;
    return WSAStartup(MAKEWORD(2, 2), &data);
  }();
  return failure == 0 ? 0 : WindowsFailure(failure);
}

Result WindowsFailure(int error) {
  for (const Row& row : kRows) {
    if (row.system == error) return -row.number;
  }
  return -EIO;
}

Result LastWinsockFailure() { return WindowsFailure(WSAGetLastError()); }

Result LastWinsockFailure(int fd) {
  const int error = WSAGetLastError();
  DWORD flags;
  const bool is_open = GetHandleInformation(reinterpret_cast<HANDLE>(AsSocket(fd)), &flags) != 0;
  return error == WSAENOTSOCK && !is_open ? -EBADF : WindowsFailure(error);
}

// A handle is a multiple of four; the system ignores the two bits below.
Result CheckSocket(int fd) {
  if (fd % 4 != 0) return -ENOTSOCK;
  int type;
  int length = sizeof type;
  const bool is_socket =
      getsockopt(AsSocket(fd), SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &length) == 0;
  return is_socket ? 0 : LastWinsockFailure(fd);
}

Result LastWindowsFailure() { return WindowsFailure(static_cast<int>(GetLastError())); }

}  // namespace fdloop
