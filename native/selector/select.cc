// select.cc: select() as a selector, the last resort and the reference for strange systems. Three bit sets
// are the table, so descriptors from FD_SETSIZE on are refused: FD_SET would write beyond the set.
//
// select() says only "readable" and "writable", so the reported mask is what it said: errors are both
// already, hang-ups are readable. A closed descriptor fails the whole call with -EBADF, and does not say
// which it was.
#include <poll.h>
#include <sys/select.h>

#include <mutex>
#include <vector>

#include "selector/poll_mask.h"
#include "selector/registry.h"
#include "selector/timeout.h"
#include "selector/watchable.h"

namespace fdloop {

namespace {

constexpr int kUsPerS = 1000 * 1000;

int MaskIn(int fd, const fd_set& readable, const fd_set& writable, const fd_set& exceptional) {
  return (FD_ISSET(fd, &readable) ? kRead : 0) | (FD_ISSET(fd, &writable) ? kWrite : 0) |
         (FD_ISSET(fd, &exceptional) ? kPriority : 0);
}

class Select final : public Selector {
 public:
  Select();

  const char* Name() const override { return "select"; }
  int Fd() const override { return -1; }

  Result Add(int fd, int mask) override;
  Result Modify(int fd, int mask) override;
  Result Remove(int fd) override;
  Result Wait(int64_t timeout_ns, Event* events, int max_events) override;
  Result WaitElsewhere(int wake_fd) override;

 protected:
  void CloseFacility() override {}

 private:
  bool IsKnown(int fd) const { return fd < FD_SETSIZE && FD_ISSET(fd, &known_); }
  void SetMask(int fd, int mask);

  // Held while the owner writes and while another thread copies; the owner reads without it.
  std::mutex mutex_;
  fd_set known_;
  fd_set readers_;
  fd_set writers_;
  fd_set exceptional_;
  int limit_ = 0;  // One more than the highest known descriptor.
  int next_ = 0;   // Where the next scan starts: behind the last entry that was reported.
};

Select::Select() {
  FD_ZERO(&known_);
  FD_ZERO(&readers_);
  FD_ZERO(&writers_);
  FD_ZERO(&exceptional_);
}

void Select::SetMask(int fd, int mask) {
  FD_CLR(fd, &readers_);
  FD_CLR(fd, &writers_);
  FD_CLR(fd, &exceptional_);
  if ((mask & kRead) != 0) FD_SET(fd, &readers_);
  if ((mask & kWrite) != 0) FD_SET(fd, &writers_);
  if ((mask & kPriority) != 0) FD_SET(fd, &exceptional_);
}

Result Select::Add(int fd, int mask) {
  if (IsClosed() || fd < 0) return -EBADF;
  if (fd >= FD_SETSIZE) return -EINVAL;
  if (IsKnown(fd)) return -EEXIST;
  const Result watchable = CheckWatchable(fd);
  if (watchable < 0) return watchable;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    FD_SET(fd, &known_);
    SetMask(fd, mask);
    if (fd >= limit_) limit_ = fd + 1;
  }
  TellInterestsChanged();
  return 0;
}

Result Select::Modify(int fd, int mask) {
  if (IsClosed() || fd < 0) return -EBADF;
  if (!IsKnown(fd)) return -ENOENT;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    SetMask(fd, mask);
  }
  TellInterestsChanged();
  return 0;
}

Result Select::Remove(int fd) {
  if (IsClosed() || fd < 0) return -EBADF;
  if (!IsKnown(fd)) return -ENOENT;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    FD_CLR(fd, &known_);
    SetMask(fd, 0);
    // The kernel looks at everything below the limit, so it must come down again.
    while (limit_ > 0 && !FD_ISSET(limit_ - 1, &known_)) --limit_;
  }
  TellInterestsChanged();
  return 0;
}

Result Select::Wait(int64_t timeout_ns, Event* events, int max_events) {
  if (IsClosed()) return -EBADF;
  if (max_events <= 0) return -EINVAL;
  fd_set readable = readers_;
  fd_set writable = writers_;
  fd_set exceptional = exceptional_;
  timeval limit = {};
  if (timeout_ns > 0) {
    const int64_t us = TimeoutUs(timeout_ns);
    limit.tv_sec = static_cast<decltype(limit.tv_sec)>(us / kUsPerS);
    limit.tv_usec = static_cast<decltype(limit.tv_usec)>(us % kUsPerS);
  }
  const int bits = select(limit_, &readable, &writable, &exceptional, timeout_ns < 0 ? nullptr : &limit);
  if (bits < 0) return errno == EINTR ? 0 : LastFailure();
  // On a timeout the sets are empty too, so there is nothing to look for.
  if (bits == 0) return 0;
  int used = 0;
  int fd = next_ < limit_ ? next_ : 0;
  for (int seen = 0; seen < limit_ && used < max_events; ++seen, fd = fd + 1 < limit_ ? fd + 1 : 0) {
    const int mask = MaskIn(fd, readable, writable, exceptional);
    if (mask != 0) events[used++] = {fd, mask};
  }
  next_ = fd;
  return used;
}

// Whether select() would tell what poll() reports. A hang-up where only writability is of interest it does
// not, nor any error where only priority is.
bool SelectTells(const pollfd& polled) {
  const int bits = polled.revents;
  if ((bits & POLLNVAL) != 0) return true;
  return ((polled.events & POLLIN) != 0 && (bits & (POLLIN | POLLHUP | POLLERR)) != 0) ||
         ((polled.events & POLLOUT) != 0 && (bits & (POLLOUT | POLLERR)) != 0) ||
         ((polled.events & POLLPRI) != 0 && (bits & POLLPRI) != 0);
}

// With poll(), which has no limit on the number of `wake_fd`. An entry with something that select() does not
// tell is left out from then on.
Result Select::WaitElsewhere(int wake_fd) {
  std::vector<pollfd> copy = {{wake_fd, POLLIN, 0}};
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (int fd = 0; fd < limit_; ++fd) {
      const int mask = MaskIn(fd, readers_, writers_, exceptional_);
      if (mask != 0) copy.push_back({fd, MaskToBits<short>(mask, POLLIN, POLLOUT, POLLPRI), 0});
    }
  }
  for (;;) {
    if (poll(copy.data(), static_cast<nfds_t>(copy.size()), -1) < 0) {
      return errno == EINTR ? 0 : LastFailure();
    }
    for (size_t i = 1; i < copy.size(); ++i) {
      if (copy[i].revents == 0) continue;
      if (SelectTells(copy[i])) return 1;
      copy[i].fd = -1;
    }
    if (copy[0].revents != 0) return 0;
  }
}

}  // namespace

Result MakeSelect(std::unique_ptr<Selector>* selector) {
  selector->reset(new Select());
  return 0;
}

}  // namespace fdloop
