// result.h: the one error convention of native code. Zero or more is success, a negative number is -errno.
// Turning a number into an exception is TypeScript's business (lib/native/check.ts).
#ifndef FDLOOP_BASE_RESULT_H_
#define FDLOOP_BASE_RESULT_H_

#include <errno.h>

namespace fdloop {

using Result = int;

// The answer of a system call that has just failed.
inline Result LastFailure() { return -errno; }

// Makes a system call, again if a signal interrupted it. Lengths are capped by the callers so that the
// answer always fits an int.
template <typename Call>
Result RetryInterrupted(Call call) {
  for (;;) {
    const auto answer = call();
    if (answer >= 0) return static_cast<Result>(answer);
    if (errno != EINTR) return LastFailure();
  }
}

}  // namespace fdloop

#endif  // FDLOOP_BASE_RESULT_H_
