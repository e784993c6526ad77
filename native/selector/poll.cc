// poll.cc: poll() as a selector. The table is ours: a dense array that goes to the kernel with every wait,
// and an index into it by descriptor. Works for any number of descriptors, at a cost that grows with it.
//
// poll() never refuses a descriptor: one that is not open is reported, as POLLNVAL, which counts as both
// directions. So Add takes a closed descriptor, and whoever waits for it hears of it. Regular files, which
// poll() takes for ready, are refused by us.
//
// The array is written by the owner only, under a mutex that the owner itself needs not take to read. Another
// thread takes it to copy the array; a change while that thread waits is told to observers.
#include <poll.h>

#include <mutex>
#include <unordered_map>
#include <vector>

#include "selector/poll_mask.h"
#include "selector/registry.h"
#include "selector/timeout.h"
#include "selector/watchable.h"

namespace fdloop {

namespace {

constexpr short kIn = POLLIN;
constexpr short kOut = POLLOUT;
constexpr short kUrgent = POLLPRI;

class Poll final : public Selector {
 public:
  const char* Name() const override { return "poll"; }
  int Fd() const override { return -1; }

  Result Add(int fd, int mask) override;
  Result Modify(int fd, int mask) override;
  Result Remove(int fd) override;
  Result Wait(int64_t timeout_ns, Event* events, int max_events) override;
  Result WaitElsewhere(int wake_fd) override;

 protected:
  void CloseFacility() override;

 private:
  std::mutex mutex_;
  std::vector<pollfd> polled_;
  std::unordered_map<int, size_t> index_by_fd_;
  size_t next_ = 0;  // Where the next scan starts: behind the last entry that was reported.
};

Result Poll::Add(int fd, int mask) {
  if (IsClosed() || fd < 0) return -EBADF;
  if (index_by_fd_.find(fd) != index_by_fd_.end()) return -EEXIST;
  const Result watchable = CheckWatchable(fd);
  if (watchable < 0) return watchable;
  index_by_fd_.emplace(fd, polled_.size());
  {
    std::lock_guard<std::mutex> lock(mutex_);
    polled_.push_back({fd, MaskToBits(mask, kIn, kOut, kUrgent), 0});
  }
  TellInterestsChanged();
  return 0;
}

Result Poll::Modify(int fd, int mask) {
  if (IsClosed() || fd < 0) return -EBADF;
  const auto found = index_by_fd_.find(fd);
  if (found == index_by_fd_.end()) return -ENOENT;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    polled_[found->second].events = MaskToBits(mask, kIn, kOut, kUrgent);
  }
  TellInterestsChanged();
  return 0;
}

Result Poll::Remove(int fd) {
  if (IsClosed() || fd < 0) return -EBADF;
  const auto found = index_by_fd_.find(fd);
  if (found == index_by_fd_.end()) return -ENOENT;
  const size_t index = found->second;
  index_by_fd_.erase(found);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (index + 1 < polled_.size()) {
      polled_[index] = polled_.back();
      index_by_fd_[polled_[index].fd] = index;
    }
    polled_.pop_back();
  }
  TellInterestsChanged();
  return 0;
}

Result Poll::Wait(int64_t timeout_ns, Event* events, int max_events) {
  if (IsClosed()) return -EBADF;
  if (max_events <= 0) return -EINVAL;
  const size_t size = polled_.size();
  int ready = poll(polled_.data(), static_cast<nfds_t>(size), TimeoutMs(timeout_ns));
  if (ready < 0) return errno == EINTR ? 0 : LastFailure();
  int used = 0;
  size_t index = next_ < size ? next_ : 0;
  for (; ready > 0 && used < max_events; index = index + 1 < size ? index + 1 : 0) {
    const pollfd& entry = polled_[index];
    if (entry.revents == 0) continue;
    events[used++] = {entry.fd, BitsToMask(entry.revents, kIn, kOut, kUrgent)};
    --ready;
  }
  if (used > 0) next_ = index;
  return used;
}

Result Poll::WaitElsewhere(int wake_fd) {
  std::vector<pollfd> copy;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    copy.reserve(polled_.size() + 1);
    // Field by field: the owner's own poll() may be writing `revents` at this moment.
    for (const pollfd& entry : polled_) copy.push_back({entry.fd, entry.events, 0});
  }
  copy.push_back({wake_fd, POLLIN, 0});
  const int ready = poll(copy.data(), static_cast<nfds_t>(copy.size()), -1);
  if (ready < 0) return errno == EINTR ? 0 : LastFailure();
  return ready > (copy.back().revents != 0 ? 1 : 0) ? 1 : 0;
}

void Poll::CloseFacility() {
  polled_.clear();
  index_by_fd_.clear();
}

}  // namespace

Result MakePoll(std::unique_ptr<Selector>* selector) {
  selector->reset(new Poll());
  return 0;
}

}  // namespace fdloop
