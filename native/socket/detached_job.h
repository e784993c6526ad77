// detached_job.h: work on a thread of its own, which wakes a loop when it is done. The code of this library
// must stay in memory for as long as such a thread may run: see base/library_pin.h.
#ifndef FDLOOP_SOCKET_DETACHED_JOB_H_
#define FDLOOP_SOCKET_DETACHED_JOB_H_

#include <memory>
#include <mutex>

#include "base/result.h"
#include "base/unique_fd.h"

namespace fdloop {

// Owned by the thread and by whoever wants the outcome; the last one to let go deletes it, on whichever
// thread that is.
class DetachedJob {
 public:
  DetachedJob() = default;
  DetachedJob(const DetachedJob&) = delete;
  DetachedJob& operator=(const DetachedJob&) = delete;
  virtual ~DetachedJob() = default;

  // Does the work. At its end one byte is sent to the socket `wake_fd`, of which a duplicate is kept until
  // then; a full socket does not matter, since its reader is about to look anyway. Once for each job.
  static Result Start(const std::shared_ptr<DetachedJob>& job, int wake_fd);

  // From then on the outcome is the owner's to read, and the duplicate is closed.
  bool IsDone();

  // Nobody is woken any more: the duplicate is closed now.
  void StopWaking();

  // The outcome is not wanted any more. Whether it was there already; if not, the thread calls Drop in the
  // end.
  bool Abandon();

 protected:
  // On the thread. What it writes nobody else touches before IsDone.
  virtual void Work() = 0;
  // On the thread, after Work: what there is to do in the owner's place.
  virtual void Drop() {}

 private:
  static void Main(void* data);

  std::mutex mutex_;  // For all below.
  UniqueFd wake_end_;
  bool is_done_ = false;
  bool is_abandoned_ = false;
};

}  // namespace fdloop

#endif  // FDLOOP_SOCKET_DETACHED_JOB_H_
