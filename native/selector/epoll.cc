// epoll.cc: Linux's epoll as a selector.
//
// The kernel's table is keyed by the pair (open file, descriptor number), not by the number. Most of the time
// nobody notices, because closing the last descriptor of an open file takes its entries with it. But when a
// duplicate lives on (dup, a forked child, a descriptor in flight over a Unix socket), close leaves the entry
// where it is. It keeps reporting the old number, for the old file; EPOLL_CTL_DEL cannot name it any more,
// since the number is free or means another file now; and if the number has been registered again, its
// reports look exactly like those of the new file.
//
// What this means here: the 64 bits that epoll hands back carry the number and the generation of the
// registration that they belong to. A report whose generation is not the current one of its number is
// dropped. For a number that is not registered one EPOLL_CTL_DEL is tried as well, which helps where the
// number still names the same file. Where it does not, the entry stays, and keeps both a wait and Fd() awake
// for as long as the duplicate is readable: this cannot be cured from outside, only avoided, by calling
// Remove before close. When the number is registered anew no DEL is tried, since it would hit the new
// registration.
//
// Reports come in the order in which things became ready, and a level-triggered entry that was reported goes
// to the end of that queue. So a small array starves nobody, and nothing needs to be rotated here.
//
// The epoll descriptor itself is readable while a wait would report something. That is what the host loop
// watches, level-triggered, and it is what WaitElsewhere polls: the kernel's table is shared between threads,
// so interests that change meanwhile are seen without being told.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "base/unique_fd.h"
#include "selector/poll_mask.h"
#include "selector/registry.h"
#include "selector/timeout.h"
#include "selector/watchable.h"

namespace fdloop {

namespace {

constexpr uint32_t kIn = EPOLLIN;
constexpr uint32_t kOut = EPOLLOUT;
constexpr uint32_t kUrgent = EPOLLPRI;

class Epoll final : public Selector {
 public:
  explicit Epoll(int fd) : epoll_(fd) {}

  const char* Name() const override { return "epoll"; }
  int Fd() const override { return epoll_.get(); }

  Result Add(int fd, int mask) override;
  Result Modify(int fd, int mask) override;
  Result Remove(int fd) override;
  Result Wait(int64_t timeout_ns, Event* events, int max_events) override;
  Result WaitElsewhere(int wake_fd) override;

 protected:
  void CloseFacility() override;

 private:
  bool IsKnown(int fd) const { return Generation(fd) != 0; }
  uint32_t Generation(int fd) const;
  Result Control(int operation, int fd, int mask, uint32_t generation);
  void Forget(int fd);
  bool Translate(const epoll_event& reported, Event* event);

  UniqueFd epoll_;
  std::vector<uint32_t> generations_;  // By descriptor; 0 where nothing is registered.
  uint32_t last_generation_ = 0;
  size_t known_ = 0;
  std::vector<epoll_event> reported_;
};

uint32_t Epoll::Generation(int fd) const {
  const auto index = static_cast<size_t>(fd);
  return index < generations_.size() ? generations_[index] : 0;
}

Result Epoll::Control(int operation, int fd, int mask, uint32_t generation) {
  epoll_event event = {};
  event.events = MaskToBits(mask, kIn, kOut, kUrgent);
  if ((mask & kEdge) != 0) event.events |= EPOLLET;
  if ((mask & kOneShot) != 0) event.events |= EPOLLONESHOT;
  event.data.u64 = static_cast<uint64_t>(generation) << 32 | static_cast<uint32_t>(fd);
  return epoll_ctl(epoll_.get(), operation, fd, &event) < 0 ? LastFailure() : 0;
}

void Epoll::Forget(int fd) {
  generations_[static_cast<size_t>(fd)] = 0;
  --known_;
}

// The kernel is asked first: it refuses numbers that are not open, so that the table only grows as far as
// there are descriptors.
Result Epoll::Add(int fd, int mask) {
  if (IsClosed() || fd < 0) return -EBADF;
  if (IsKnown(fd)) return -EEXIST;
  const uint32_t generation = last_generation_ == UINT32_MAX ? 1 : last_generation_ + 1;
  const Result result = Control(EPOLL_CTL_ADD, fd, mask, generation);
  if (result < 0) return result;
  const auto index = static_cast<size_t>(fd);
  if (index >= generations_.size()) generations_.resize(std::max(index + 1, 2 * generations_.size()));
  generations_[index] = last_generation_ = generation;
  ++known_;
  return 0;
}

Result Epoll::Modify(int fd, int mask) {
  if (IsClosed() || fd < 0) return -EBADF;
  if (!IsKnown(fd)) return -ENOENT;
  const Result result = Control(EPOLL_CTL_MOD, fd, mask, Generation(fd));
  if (result < 0) {
    Control(EPOLL_CTL_DEL, fd, 0, 0);
    Forget(fd);
  }
  return result;
}

Result Epoll::Remove(int fd) {
  if (IsClosed() || fd < 0) return -EBADF;
  if (!IsKnown(fd)) return -ENOENT;
  Forget(fd);
  return Control(EPOLL_CTL_DEL, fd, 0, 0);
}

bool Epoll::Translate(const epoll_event& reported, Event* event) {
  const int fd = static_cast<int>(reported.data.u64 & UINT32_MAX);
  const uint32_t generation = Generation(fd);
  if (generation != static_cast<uint32_t>(reported.data.u64 >> 32)) {
    if (generation == 0) Control(EPOLL_CTL_DEL, fd, 0, 0);
    return false;
  }
  const uint32_t bits = reported.events;
  *event = {fd, BitsToMask(bits, kIn, kOut, kUrgent)};
  return true;
}

Result Epoll::Wait(int64_t timeout_ns, Event* events, int max_events) {
  if (IsClosed()) return -EBADF;
  if (max_events <= 0) return -EINVAL;
  // No more entries can come than there are registrations, save stale ones, which can wait for the next call.
  const size_t room = std::min(static_cast<size_t>(max_events), std::max<size_t>(known_, 1));
  if (reported_.size() < room) reported_.resize(room);
  const int count = epoll_wait(epoll_.get(), reported_.data(), static_cast<int>(room), TimeoutMs(timeout_ns));
  if (count < 0) return errno == EINTR ? 0 : LastFailure();
  int used = 0;
  for (int i = 0; i < count; ++i) {
    if (Translate(reported_[static_cast<size_t>(i)], &events[used])) ++used;
  }
  return used;
}

Result Epoll::WaitElsewhere(int wake_fd) {
  pollfd polled[] = {{epoll_.get(), POLLIN, 0}, {wake_fd, POLLIN, 0}};
  if (poll(polled, 2, -1) < 0) return errno == EINTR ? 0 : LastFailure();
  return polled[0].revents != 0 ? 1 : 0;
}

void Epoll::CloseFacility() {
  epoll_.Reset();
  generations_.clear();
  known_ = 0;
}

}  // namespace

// epoll refuses exactly what has no way to be waited for. It is asked only about files, so that poll() and
// select() keep taking devices such as /dev/null.
Result CheckWatchable(int fd) {
  struct stat status;
  if (fstat(fd, &status) < 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))) return 0;
  const UniqueFd probe(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event = {};
  // Without a descriptor for the question, the answer is the likely one.
  if (!probe.IsOpen()) return -EPERM;
  return epoll_ctl(probe.get(), EPOLL_CTL_ADD, fd, &event) < 0 && errno == EPERM ? -EPERM : 0;
}

Result MakeEpoll(std::unique_ptr<Selector>* selector) {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return LastFailure();
  selector->reset(new Epoll(fd));
  return 0;
}

}  // namespace fdloop
