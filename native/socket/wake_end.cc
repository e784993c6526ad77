// wake_end.cc: the two words of a wake end. The memory is JavaScript's and shared among its threads, so the
// compiler's atomics are used on plain words.
#include "socket/wake_end.h"

#include "socket/socket.h"

namespace fdloop {

namespace {

constexpr int32_t kClosed = 1 << 30;

bool Enter(int32_t* users) {
  int32_t seen = __atomic_load_n(users, __ATOMIC_SEQ_CST);
  do {
    if ((seen & kClosed) != 0) return false;
  } while (!__atomic_compare_exchange_n(users, &seen, seen + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  return true;
}

void Leave(int32_t* users, int fd) {
  const int32_t left = __atomic_sub_fetch(users, 1, __ATOMIC_SEQ_CST);
  // Closed meanwhile, and nobody can enter any more: this is the last one.
  if (left == kClosed) Close(fd);
}

}  // namespace

Result Wake(int fd, int32_t* state) {
  if (!Enter(&state[0])) return 0;
  // A count that was not zero has a byte on its way: its taker will find this wake as well. A full pipe has
  // bytes enough.
  if (__atomic_fetch_add(&state[1], 1, __ATOMIC_SEQ_CST) == 0) {
    const uint8_t byte = 0;
    Send(fd, &byte, 1, kDoNotWait);
  }
  Leave(&state[0], fd);
  return 1;
}

Result CloseWakeEnd(int fd, int32_t* state) {
  const int32_t before = __atomic_fetch_or(&state[0], kClosed, __ATOMIC_SEQ_CST);
  if ((before & kClosed) != 0) return -EBADF;
  if (before == 0) Close(fd);
  return 0;
}

}  // namespace fdloop
