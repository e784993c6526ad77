// wake_pipe_windows.cc: the wake-up descriptor as a pair of sockets, since pipes cannot be watched here. Both
// ends are non-blocking: a full one means that a wake is pending already.
#include "base/loopback_pair.h"
#include "base/wake_pipe.h"
#include "base/winsock.h"

namespace fdloop {

Result WakePipe::Open() {
  int32_t ends[2];
  const Result result = OpenLoopbackPair(AF_INET, ends);
  if (result < 0) return result;
  read_end_.Reset(ends[0]);
  write_end_.Reset(ends[1]);
  for (const int end : ends) {
    u_long on = 1;
    if (ioctlsocket(AsSocket(end), static_cast<long>(FIONBIO), &on) != 0) return LastWinsockFailure();
  }
  return 0;
}

void WakePipe::Wake() {
  const char byte = 0;
  send(AsSocket(write_end_.get()), &byte, 1, 0);
}

void WakePipe::Drain() {
  char bytes[64];
  while (recv(AsSocket(read_end_.get()), bytes, sizeof bytes, 0) > 0) {
  }
}

}  // namespace fdloop
