// close_others_linux.cc: by close_range, and where the kernel has none (before 5.9) by what /proc says is
// open.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/close_others.h"

// Every architecture has the same number for it.
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

namespace fdloop {

namespace {

bool CloseRange(unsigned first, unsigned last) { return syscall(SYS_close_range, first, last, 0) == 0; }

// An entry of a directory as the kernel writes it.
struct Entry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[1];
};

// -1 for what is no number.
int Number(const char* text) {
  if (*text == '\0') return -1;
  int number = 0;
  for (; *text != '\0'; ++text) {
    if (*text < '0' || *text > '9') return -1;
    number = 10 * number + (*text - '0');
  }
  return number;
}

// Closing while the directory is read makes the kernel skip nothing: it remembers a number, not a place.
bool CloseListed(const int* kept, size_t count) {
  const int folder = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return false;
  alignas(Entry) char buffer[1024];
  long length;
  while ((length = syscall(SYS_getdents64, folder, buffer, sizeof buffer)) > 0) {
    for (long at = 0; at < length;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer + at);
      const int fd = Number(entry->name);
      if (fd >= kFirstOther && fd != folder && !IsKept(fd, kept, count)) close(fd);
      at += entry->length;
    }
  }
  close(folder);
  return length == 0;
}

}  // namespace

void CloseOthers(const int* kept, size_t count) {
  int next = kFirstOther;
  for (size_t i = 0; i < count; ++i) {
    if (kept[i] < next) continue;
    if (kept[i] > next && !CloseRange(next, kept[i] - 1)) break;
    next = kept[i] + 1;
  }
  if (CloseRange(next, UINT_MAX)) return;
  if (!CloseListed(kept, count)) CloseEachPossible(kept, count);
}

}  // namespace fdloop
