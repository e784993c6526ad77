// close_others_mac.cc: by the kernel's own list of what is open. Every possible number would be a million of
// them: Node raises the limit as far as it can.
#include <libproc.h>
#include <unistd.h>

#include "process/close_others.h"

namespace fdloop {

// The list begins with the lowest numbers. Those that are closed make room for others: asked again until
// nothing more is to be closed.
void CloseOthers(const int* kept, size_t count) {
  proc_fdinfo open_files[256];
  const auto limit = static_cast<int>(sizeof open_files / sizeof open_files[0]);
  if (count + kFirstOther < static_cast<size_t>(limit)) {
    for (bool has_closed = true; has_closed;) {
      has_closed = false;
      const int bytes = proc_pidinfo(getpid(), PROC_PIDLISTFDS, 0, open_files, sizeof open_files);
      if (bytes <= 0) break;
      const int found = bytes / static_cast<int>(sizeof open_files[0]);
      for (int i = 0; i < found && i < limit; ++i) {
        const int fd = open_files[i].proc_fd;
        if (fd >= kFirstOther && !IsKept(fd, kept, count) && close(fd) == 0) has_closed = true;
      }
      if (!has_closed) return;
    }
  }
  CloseEachPossible(kept, count);
}

}  // namespace fdloop
