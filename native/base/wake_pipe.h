// wake_pipe.h: a descriptor that one thread makes readable so that another one leaves its wait. It carries no
// data: any number of wakes before a drain are one wake.
#ifndef FDLOOP_BASE_WAKE_PIPE_H_
#define FDLOOP_BASE_WAKE_PIPE_H_

#include "base/result.h"
#include "base/unique_fd.h"

namespace fdloop {

class WakePipe {
 public:
  Result Open();

  // The end that becomes readable.
  int Fd() const { return read_end_.get(); }

  // From any thread.
  void Wake();
  void Drain();

 private:
  UniqueFd read_end_;
  UniqueFd write_end_;
};

}  // namespace fdloop

#endif  // FDLOOP_BASE_WAKE_PIPE_H_
