// errno_message_posix.cc: the C library's texts.
#include <stdio.h>
#include <string.h>

#include "base/errno_table.h"

namespace fdloop {

namespace {

// strerror_r exists in two shapes; overloading on the answer's type takes whichever the C library has.
[[maybe_unused]] void CopyMessage(int failed, char* text, size_t capacity, int number) {
  if (failed != 0) snprintf(text, capacity, "Unknown error %d", number);
}

[[maybe_unused]] void CopyMessage(const char* answer, char* text, size_t capacity, int) {
  if (answer != text) snprintf(text, capacity, "%s", answer);
}

}  // namespace

void ErrnoMessage(int number, char* text, size_t capacity) {
  text[0] = '\0';
  CopyMessage(strerror_r(number, text, capacity), text, capacity, number);
}

}  // namespace fdloop
