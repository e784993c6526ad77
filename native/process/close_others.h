// close_others.h: between fork and exec. Nothing here may allocate memory or take a lock.
#ifndef FDLOOP_PROCESS_CLOSE_OTHERS_H_
#define FDLOOP_PROCESS_CLOSE_OTHERS_H_

#include <stddef.h>
#include <unistd.h>

namespace fdloop {

// The first behind the standard streams.
constexpr int kFirstOther = 3;

inline bool IsKept(int fd, const int* kept, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (kept[i] == fd) return true;
  }
  return false;
}

// Whatever the number: the last resort.
inline void CloseEachPossible(const int* kept, size_t count) {
  const long limit = sysconf(_SC_OPEN_MAX);
  for (int fd = kFirstOther; fd < limit; ++fd) {
    if (!IsKept(fd, kept, count)) close(fd);
  }
}

// Closes every descriptor above 2 that is not one of `kept`, which is in rising order.
void CloseOthers(const int* kept, size_t count);

}  // namespace fdloop

#endif  // FDLOOP_PROCESS_CLOSE_OTHERS_H_
