// timeout.h: time limits in the units of the system calls. Always rounded up, never beyond INT_MAX
// milliseconds: see selector.h.
#ifndef FDLOOP_SELECTOR_TIMEOUT_H_
#define FDLOOP_SELECTOR_TIMEOUT_H_

#include <limits.h>
#include <stdint.h>
#include <time.h>

namespace fdloop {

constexpr int64_t kNsPerUs = 1000;
constexpr int64_t kNsPerMs = 1000 * 1000;
constexpr int64_t kNsPerS = 1000 * kNsPerMs;

inline int64_t DivideUp(int64_t number, int64_t unit) { return number / unit + (number % unit > 0 ? 1 : 0); }

// -1 for a wait without limit.
inline int TimeoutMs(int64_t timeout_ns) {
  if (timeout_ns < 0) return -1;
  const int64_t ms = DivideUp(timeout_ns, kNsPerMs);
  return ms > INT_MAX ? INT_MAX : static_cast<int>(ms);
}

// Of a limit that is not negative.
inline int64_t TimeoutUs(int64_t timeout_ns) {
  const int64_t us = DivideUp(timeout_ns, kNsPerUs);
  const int64_t limit = static_cast<int64_t>(INT_MAX) * (kNsPerMs / kNsPerUs);
  return us > limit ? limit : us;
}

// Of any limit; what a wait without limit gives is of no use. Exact, because the unit is a nanosecond.
inline timespec TimeoutSpec(int64_t timeout_ns) {
  timespec limit = {};
  if (timeout_ns <= 0) return limit;
  const int64_t most = static_cast<int64_t>(INT_MAX) * kNsPerMs;
  const int64_t ns = timeout_ns > most ? most : timeout_ns;
  limit.tv_sec = static_cast<decltype(limit.tv_sec)>(ns / kNsPerS);
  limit.tv_nsec = static_cast<decltype(limit.tv_nsec)>(ns % kNsPerS);
  return limit;
}

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_TIMEOUT_H_
