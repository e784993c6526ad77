// close_others_bsd.cc: by closefrom, which every BSD has; macOS has a file of its own.
#include <unistd.h>

#include "process/close_others.h"

namespace fdloop {

void CloseOthers(const int* kept, size_t count) {
  int next = kFirstOther;
  for (size_t i = 0; i < count; ++i) {
    for (; next < kept[i]; ++next) close(next);
    if (next == kept[i]) ++next;
  }
  closefrom(next);
}

}  // namespace fdloop
