// wake_end.h: the writing end of a loop's self-pipe, for threads that do not own it. What they share is the
// number of the descriptor and two words of memory; the descriptor is closed by whichever thread is the last
// to use it, so its number is never written to after it has become somebody else's.
#ifndef FDLOOP_SOCKET_WAKE_END_H_
#define FDLOOP_SOCKET_WAKE_END_H_

#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

namespace fdloop {

// The words: how many threads are writing just now, with a bit for "closed"; how many wakes nobody has taken.
constexpr size_t kWakeStateLength = 2;

// Counts one wake, and sends a byte if it is the first since the count was taken. The answer is 1, or 0 if
// the end is closed. From any thread.
Result Wake(int fd, int32_t* state);

// No wake counts after this. The answer is 0, or -EBADF if it was closed before.
Result CloseWakeEnd(int fd, int32_t* state);

}  // namespace fdloop

#endif  // FDLOOP_SOCKET_WAKE_END_H_
