// signal_none.cc: signals where there are none.
#include "process/signal.h"

namespace fdloop {

Result IsSignal(int) { return -ENOSYS; }
Result ReserveSignal(int, int, const void*) { return -ENOSYS; }
Result WatchSignal(int, int, bool) { return -ENOSYS; }
Result UnwatchSignal(int, int) { return -ENOSYS; }
Result ReleaseSignal(int, int) { return -ENOSYS; }
Result TakeMissedSignals(int, int) { return -ENOSYS; }
void ForgetSignals(const void*) {}

}  // namespace fdloop
