// wake_end.cc: the two words of a wake end. The memory is JavaScript's and shared among its threads: plain
// words there, taken for atomic ones here, which have the same size and need no lock.
#include "socket/wake_end.h"

#include <atomic>

#include "socket/socket.h"

namespace fdloop {

namespace {

using Word = std::atomic<int32_t>;
static_assert(sizeof(Word) == sizeof(int32_t) && Word::is_always_lock_free, "a word is a word");

Word& Atomic(int32_t* word) { return *reinterpret_cast<Word*>(word); }

constexpr int32_t kClosed = 1 << 30;

bool Enter(int32_t* users) {
  int32_t seen = Atomic(users).load();
  do {
    if ((seen & kClosed) != 0) return false;
  } while (!Atomic(users).compare_exchange_strong(seen, seen + 1));
  return true;
}

void Leave(int32_t* users, int fd) {
  const int32_t left = Atomic(users).fetch_sub(1) - 1;
  // Closed meanwhile, and nobody can enter any more: this is the last one.
  if (left == kClosed) Close(fd);
}

}  // namespace

Result Wake(int fd, int32_t* state) {
  if (!Enter(&state[0])) return 0;
  // A count that was not zero has a byte on its way: its taker will find this wake as well. A full pipe has
  // bytes enough.
  if (Atomic(&state[1]).fetch_add(1) == 0) {
    const uint8_t byte = 0;
    Send(fd, &byte, 1, kDoNotWait);
  }
  Leave(&state[0], fd);
  return 1;
}

Result CloseWakeEnd(int fd, int32_t* state) {
  const int32_t before = Atomic(&state[0]).fetch_or(kClosed);
  if ((before & kClosed) != 0) return -EBADF;
  if (before == 0) Close(fd);
  return 0;
}

}  // namespace fdloop
