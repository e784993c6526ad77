// poll.cc: poll() as a selector. The table is ours (table_selector.h), and its array goes to the kernel with
// every wait. Works for any number of descriptors, at a cost that grows with it.
//
// poll() never refuses a descriptor: one that is not open is reported, as POLLNVAL, which counts as both
// directions. So Add takes a closed descriptor, and whoever waits for it hears of it. Regular files, which
// poll() takes for ready, are refused by us.
#include <poll.h>

#include <mutex>
#include <vector>

#include "selector/poll_mask.h"
#include "selector/registry.h"
#include "selector/table_selector.h"
#include "selector/timeout.h"

namespace fdloop {

namespace {

constexpr short kIn = POLLIN;
constexpr short kOut = POLLOUT;
constexpr short kUrgent = POLLPRI;

class Poll final : public TableSelector<pollfd> {
 public:
  const char* Name() const override { return "poll"; }

  Result Wait(int64_t timeout_ns, Event* events, int max_events) override;
  Result WaitElsewhere(int wake_fd) override;

 protected:
  pollfd MakeEntry(int fd, int mask) const override { return {fd, MaskToBits(mask, kIn, kOut, kUrgent), 0}; }

 private:
  size_t next_ = 0;  // Where the next scan starts: behind the last entry that was reported.
};

Result Poll::Wait(int64_t timeout_ns, Event* events, int max_events) {
  if (IsClosed()) return -EBADF;
  if (max_events <= 0) return -EINVAL;
  const size_t size = entries_.size();
  int ready = poll(entries_.data(), static_cast<nfds_t>(size), TimeoutMs(timeout_ns));
  if (ready < 0) return errno == EINTR ? 0 : LastFailure();
  int used = 0;
  size_t index = next_ < size ? next_ : 0;
  for (; ready > 0 && used < max_events; index = index + 1 < size ? index + 1 : 0) {
    const pollfd& entry = entries_[index];
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
    copy.reserve(entries_.size() + 1);
    // Field by field: the owner's own poll() may be writing `revents` at this moment.
    for (const pollfd& entry : entries_) copy.push_back({entry.fd, entry.events, 0});
  }
  copy.push_back({wake_fd, POLLIN, 0});
  const int ready = poll(copy.data(), static_cast<nfds_t>(copy.size()), -1);
  if (ready < 0) return errno == EINTR ? 0 : LastFailure();
  return ready > (copy.back().revents != 0 ? 1 : 0) ? 1 : 0;
}

}  // namespace

Result MakePoll(std::unique_ptr<Selector>* selector) {
  selector->reset(new Poll());
  return 0;
}

}  // namespace fdloop
