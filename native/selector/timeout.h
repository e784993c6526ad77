// timeout.h: time limits in the units of the system calls. Always rounded up, never beyond INT_MAX
// milliseconds: see selector.h.
#ifndef FDLOOP_SELECTOR_TIMEOUT_H_
#define FDLOOP_SELECTOR_TIMEOUT_H_

#include <limits.h>
#include <stdint.h>

namespace fdloop {

constexpr int64_t kNsPerUs = 1000;
constexpr int64_t kNsPerMs = 1000 * 1000;

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

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_TIMEOUT_H_
