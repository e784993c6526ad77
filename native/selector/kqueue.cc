// kqueue.cc: kqueue, of macOS and the BSDs, as a selector.
//
// The kernel has one filter for each direction of a descriptor, so a mask is up to two filters, and what is
// ready comes as up to two reports, perhaps in two waits. They are merged here by descriptor.
//
// What a report means. A filter speaks for its own direction only, errors and hang-ups included: both set
// EV_EOF on every filter that they concern. On the reading one it says that the peer will send no more (there
// may still be bytes to read, and the socket's error waits in SO_ERROR); on the writing one that nobody will
// read, which is also so after our own shutdown. Either way the next call in that direction does not block,
// which is all that readiness means, so EV_EOF is not looked at. It cannot be masked either: an end that
// stays registered is reported again by every wait.
//
// Closing a descriptor takes its filters away, also when a duplicate lives on, the opposite of epoll. The
// number may then be in use again while a report for the old file is on its way, so the user data of a filter
// is the generation of its registration, and what carries another one is dropped. A change of the mask asks
// the kernel whether the filters that it keeps are still there, so that it cannot be taken for granted that
// the number means the old file.
//
// Changes are made with EV_RECEIPT: each is answered by an entry with its errno, nothing is taken from the
// queue of reports, and one refusal does not keep the kernel from the other changes.
//
// The kqueue descriptor is readable while a wait would report something. The host's loop watches it, and
// WaitElsewhere polls it; the kernel's table is shared between threads, so changes need not be told.
#include <fcntl.h>
#include <poll.h>
#include <sys/types.h>
// After the types that it needs on some systems.
#include <sys/event.h>
#include <sys/time.h>

#include <algorithm>
#include <vector>

#include "base/unique_fd.h"
#include "selector/registry.h"
#include "selector/timeout.h"
#include "selector/watchable.h"

namespace fdloop {

namespace {

// The fields have other types on other systems.
using Entry = struct kevent;
using Filter = decltype(Entry::filter);
using Flags = decltype(Entry::flags);

constexpr Filter kReadFilter = EVFILT_READ;
constexpr Filter kWriteFilter = EVFILT_WRITE;

struct Direction {
  int bit;
  Filter filter;
};

constexpr Direction kDirections[] = {{kRead, kReadFilter}, {kWrite, kWriteFilter}};
constexpr int kBothDirections = kRead | kWrite;

int CountFilters(int mask) { return ((mask & kRead) != 0 ? 1 : 0) + ((mask & kWrite) != 0 ? 1 : 0); }

// What one verb asks of the kernel: for each direction at most to delete a filter and to add it again.
class Changes {
 public:
  Changes(int fd, uint32_t generation) : fd_(fd), generation_(generation) {}

  void Append(int mask, int flags);
  // 0, or -errno of the first change that was refused. The kernel has tried all of them.
  Result Apply(int kqueue) const;

 private:
  static bool IsRefused(const Entry& change, const Entry& receipt);

  int fd_;
  uint32_t generation_;
  Entry entries_[4];
  int count_ = 0;
};

void Changes::Append(int mask, int flags) {
  for (const Direction& direction : kDirections) {
    if ((mask & direction.bit) == 0) continue;
    Entry entry = {};
    entry.ident = static_cast<decltype(entry.ident)>(fd_);
    entry.filter = direction.filter;
    entry.flags = static_cast<Flags>(flags | EV_RECEIPT);
    // A pointer here, an integer there: only the C cast makes both.
    entry.udata = (decltype(entry.udata))static_cast<uintptr_t>(generation_);
    entries_[count_++] = entry;
  }
}

Result Changes::Apply(int kqueue) const {
  if (count_ == 0) return 0;
  Entry receipts[4];
  const timespec now = {};
  const int answered = kevent(kqueue, entries_, count_, receipts, count_, &now);
  // The changes come before the wait, and only the wait can be interrupted: they have been made.
  if (answered < 0) return errno == EINTR ? 0 : LastFailure();
  for (int i = 0; i < answered; ++i) {
    if (IsRefused(entries_[i], receipts[i])) return -static_cast<Result>(receipts[i].data);
  }
  return 0;
}

bool Changes::IsRefused(const Entry& change, const Entry& receipt) {
  if ((receipt.flags & EV_ERROR) == 0 || receipt.data == 0) return false;
  // Older versions of macOS say so of a pipe whose other end is gone, but have added the filter.
  return !(receipt.data == EPIPE && (change.flags & EV_ADD) != 0);
}

int AddFlags(int mask) { return EV_ADD | ((mask & kEdge) != 0 ? EV_CLEAR : 0); }

class Kqueue final : public Selector {
 public:
  explicit Kqueue(UniqueFd fd) : kqueue_(std::move(fd)) {}

  const char* Name() const override { return "kqueue"; }
  int Fd() const override { return kqueue_.get(); }

  Result Add(int fd, int mask) override;
  Result Modify(int fd, int mask) override;
  Result Remove(int fd) override;
  Result Wait(int64_t timeout_ns, Event* events, int max_events) override;
  Result WaitElsewhere(int wake_fd) override;

 protected:
  void CloseFacility() override;

 private:
  struct Registration {
    uint32_t generation = 0;  // 0 where nothing is registered.
    int mask = 0;
    int position = 0;  // Of its entry in the events of a wait, if that entry is its own.
  };

  Registration* Find(int fd);
  Result Delete(int fd, int mask);
  void Forget(Registration* registration);
  void Merge(const Entry& report, Event* events, int* used);

  UniqueFd kqueue_;
  std::vector<Registration> registrations_;  // By descriptor.
  uint32_t last_generation_ = 0;
  int known_ = 0;
  int filters_ = 0;
  std::vector<Entry> reports_;
};

// Null if nothing is registered for the descriptor.
Kqueue::Registration* Kqueue::Find(int fd) {
  const auto index = static_cast<size_t>(fd);
  if (index >= registrations_.size() || registrations_[index].generation == 0) return nullptr;
  return &registrations_[index];
}

Result Kqueue::Delete(int fd, int mask) {
  Changes changes(fd, 0);
  changes.Append(mask, EV_DELETE);
  return changes.Apply(kqueue_.get());
}

void Kqueue::Forget(Registration* registration) {
  filters_ -= CountFilters(registration->mask);
  --known_;
  *registration = Registration();
}

// The kernel is asked first: it refuses numbers that are not open, so that the table only grows as far as
// there are descriptors.
Result Kqueue::Add(int fd, int mask) {
  if (IsClosed() || fd < 0) return -EBADF;
  if (Find(fd) != nullptr) return -EEXIST;
  const Result watchable = CheckWatchable(fd);
  if (watchable < 0) return watchable;
  const uint32_t generation = last_generation_ == UINT32_MAX ? 1 : last_generation_ + 1;
  Changes changes(fd, generation);
  changes.Append(mask, AddFlags(mask));
  const Result result = changes.Apply(kqueue_.get());
  if (result < 0) {
    Delete(fd, mask);
    return result;
  }
  const auto index = static_cast<size_t>(fd);
  if (index >= registrations_.size()) {
    registrations_.resize(std::max(index + 1, 2 * registrations_.size()));
  }
  registrations_[index] = {generation, mask, 0};
  last_generation_ = generation;
  ++known_;
  filters_ += CountFilters(mask);
  return 0;
}

// EV_ENABLE without EV_ADD changes nothing about a filter, but is refused if there is none. Whether a filter
// is edge-triggered is fixed when it is made, and only a new one reports again what it has reported.
Result Kqueue::Modify(int fd, int mask) {
  if (IsClosed() || fd < 0) return -EBADF;
  Registration* registration = Find(fd);
  if (registration == nullptr) return -ENOENT;
  const int before = registration->mask;
  const bool any_edge = ((before | mask) & kEdge) != 0;
  const int kept = any_edge ? 0 : before & mask;
  Changes changes(fd, registration->generation);
  changes.Append(before & ~kept, EV_DELETE);
  changes.Append(kept, EV_ENABLE);
  changes.Append(mask & ~kept, AddFlags(mask));
  const Result result = changes.Apply(kqueue_.get());
  if (result < 0) {
    Delete(fd, kBothDirections);
    Forget(registration);
    return result;
  }
  filters_ += CountFilters(mask) - CountFilters(before);
  registration->mask = mask;
  return 0;
}

// Filters that are not there have been taken away by a close.
Result Kqueue::Remove(int fd) {
  if (IsClosed() || fd < 0) return -EBADF;
  Registration* registration = Find(fd);
  if (registration == nullptr) return -ENOENT;
  const int mask = registration->mask;
  Forget(registration);
  const Result result = Delete(fd, mask);
  return result == -ENOENT ? 0 : result;
}

void Kqueue::Merge(const Entry& report, Event* events, int* used) {
  const int fd = static_cast<int>(report.ident);
  Registration* registration = Find(fd);
  if (registration == nullptr || registration->generation != (uintptr_t)report.udata) return;
  int mask = report.filter == kWriteFilter ? kWrite : kRead;
  // An error without a change that it could belong to concerns whoever waits.
  if ((report.flags & EV_ERROR) != 0) mask = kBothDirections;
  const int position = registration->position;
  if (position < *used && events[position].fd == fd) {
    events[position].mask |= mask;
    return;
  }
  registration->position = *used;
  events[(*used)++] = {fd, mask};
}

// The room is that of all filters, so that one wait reports all that is ready if the caller has room for
// every descriptor, and never 0, which would make the kernel return at once. Level-triggered filters that
// were reported go to the end of the kernel's queue, so a small array starves nobody.
Result Kqueue::Wait(int64_t timeout_ns, Event* events, int max_events) {
  if (IsClosed()) return -EBADF;
  if (max_events <= 0) return -EINVAL;
  const int room = max_events >= known_ ? std::max(filters_, 1) : max_events;
  if (reports_.size() < static_cast<size_t>(room)) reports_.resize(static_cast<size_t>(room));
  const timespec limit = TimeoutSpec(timeout_ns);
  const int count =
      kevent(kqueue_.get(), nullptr, 0, reports_.data(), room, timeout_ns < 0 ? nullptr : &limit);
  if (count < 0) return errno == EINTR ? 0 : LastFailure();
  int used = 0;
  for (int i = 0; i < count; ++i) Merge(reports_[static_cast<size_t>(i)], events, &used);
  return used;
}

Result Kqueue::WaitElsewhere(int wake_fd) {
  pollfd polled[] = {{kqueue_.get(), POLLIN, 0}, {wake_fd, POLLIN, 0}};
  if (poll(polled, 2, -1) < 0) return errno == EINTR ? 0 : LastFailure();
  return polled[0].revents != 0 ? 1 : 0;
}

void Kqueue::CloseFacility() {
  kqueue_.Reset();
  registrations_.clear();
  known_ = 0;
  filters_ = 0;
}

}  // namespace

Result MakeKqueue(std::unique_ptr<Selector>* selector) {
  UniqueFd fd(kqueue());
  if (!fd.IsOpen() || fcntl(fd.get(), F_SETFD, FD_CLOEXEC) < 0) return LastFailure();
  selector->reset(new Kqueue(std::move(fd)));
  return 0;
}

}  // namespace fdloop
