// errno_message_windows.cc: the C library's texts end where the numbers of sockets begin; those are the
// system's own affair, under its own numbers.
#include <stdio.h>
#include <string.h>

#include "base/errno_table.h"
#include "base/winsock.h"

namespace fdloop {

namespace {

// Writes the system's text without the line end and full stop that it comes with. False if it has none.
bool SystemMessage(DWORD error, char* text, size_t capacity) {
  DWORD length = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, error,
                                MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US), text,
                                static_cast<DWORD>(capacity), nullptr);
  while (length > 0 && strchr("\r\n. ", text[length - 1]) != nullptr) --length;
  text[length] = '\0';
  return length > 0;
}

}  // namespace

void ErrnoMessage(int number, char* text, size_t capacity) {
  // The first errno of a socket is EADDRINUSE, and Winsock counts its own from WSABASEERR on.
  for (int error = WSABASEERR; number >= EADDRINUSE && error <= WSAEHOSTUNREACH; ++error) {
    if (WindowsFailure(error) == -number && SystemMessage(static_cast<DWORD>(error), text, capacity)) return;
  }
  if (strerror_s(text, capacity, number) != 0) snprintf(text, capacity, "Unknown error %d", number);
}

}  // namespace fdloop
