// errno_table.h: errno names and texts. Which exception class an errno becomes is decided in TypeScript.
#ifndef FDLOOP_BASE_ERRNO_TABLE_H_
#define FDLOOP_BASE_ERRNO_TABLE_H_

#include <stddef.h>

#include "base/named_number.h"

namespace fdloop {

// Every errno name that this platform has, aliases (EWOULDBLOCK) after the name that they repeat (EAGAIN).
NamedNumberTable ErrnoTable();

// The preferred name of a positive errno, or nullptr.
const char* ErrnoName(int number);

// Copies the system's text for a positive errno, always with a terminating NUL.
void ErrnoMessage(int number, char* text, size_t capacity);

}  // namespace fdloop

#endif  // FDLOOP_BASE_ERRNO_TABLE_H_
