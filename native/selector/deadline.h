// deadline.h: what is left of a time limit, for waits that the system may end early or for nothing.
#ifndef FDLOOP_SELECTOR_DEADLINE_H_
#define FDLOOP_SELECTOR_DEADLINE_H_

#include <stdint.h>

#include <chrono>

namespace fdloop {

class Deadline {
 public:
  // A negative limit is none.
  explicit Deadline(int64_t timeout_ns) : timeout_ns_(timeout_ns), start_(Clock::now()) {}

  bool IsEndless() const { return timeout_ns_ < 0; }

  // Of a limit; never negative.
  int64_t LeftNs() const {
    if (timeout_ns_ == 0) return 0;
    const int64_t passed = std::chrono::nanoseconds(Clock::now() - start_).count();
    return passed >= timeout_ns_ ? 0 : timeout_ns_ - passed;
  }

 private:
  using Clock = std::chrono::steady_clock;

  int64_t timeout_ns_;
  Clock::time_point start_;
};

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_DEADLINE_H_
