// signal.h: signals of the process as bytes. A signal that is watched sends its number, one byte, to a
// socket, from inside the signal handler; what it means is the business of whoever reads the socket.
//
// A handler of ours has to live beside those of the host (libuv installs one for a signal while somebody
// listens for it, and knows nothing of others). So the host is made to install its own first, and ours goes
// on top of it and calls it:
//
//   ReserveSignal   what the process does with the signal is remembered
//                   (the host's handler is installed, and stays until after UnwatchSignal)
//   WatchSignal     ours is on top
//   UnwatchSignal   the host's is the first again
//                   (the host takes its handler away)
//   ReleaseSignal   what was remembered is put back
//
// Several may watch one signal: the one that came last is told. Calls may come from any thread.
#ifndef FDLOOP_PROCESS_SIGNAL_H_
#define FDLOOP_PROCESS_SIGNAL_H_

#include "base/result.h"

namespace fdloop {

// Whether a signal has this number here, and is not one of the C library's own. -ENOSYS on a system without
// signals, as of all the others here.
Result IsSignal(int signal);

// `fd`, a socket, stands for whoever is to be told; `owner` for all that ForgetSignals forgets at a time.
// -EINVAL for what cannot be caught.
Result ReserveSignal(int signal, int fd, const void* owner);

// For what was reserved; may be repeated, and moves to the top. A handler that was installed after the first
// reservation is the host's; one that was there before is taken for the host's, and called, only if
// `host_listens`, and replaced if not. -ENOENT for what was not reserved.
Result WatchSignal(int signal, int fd, bool host_listens);

// After this nothing is sent to `fd` any more.
Result UnwatchSignal(int signal, int fd);
Result ReleaseSignal(int signal, int fd);

// Unwatches and releases everything of an owner.
void ForgetSignals(const void* owner);

// How often the signal came to `fd` and found the socket full, since this was last asked.
Result TakeMissedSignals(int signal, int fd);

}  // namespace fdloop

#endif  // FDLOOP_PROCESS_SIGNAL_H_
