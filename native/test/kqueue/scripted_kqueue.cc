// scripted_kqueue.cc: kqueue() and kevent() on top of epoll. epoll knows a descriptor once, with both
// directions; the table here knows its filters. What epoll forgets (a closed descriptor) the table finds out
// when it next touches the descriptor. Loops of several threads may use it: one lock is on all that it knows,
// but not while it waits.
#include "test/kqueue/scripted_kqueue.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include <map>
#include <mutex>
#include <tuple>

#include "selector/timeout.h"
#include "test/harness.h"

namespace fdloop {

namespace {

using Entry = struct kevent;
using Key = std::tuple<int, int, short>;  // The kqueue, the descriptor, the filter.

// For the filters and the script.
std::mutex& Mutex() {
  static std::mutex mutex;
  return mutex;
}

std::map<Key, Entry>& Filters() {
  static std::map<Key, Entry> filters;
  return filters;
}

const Entry* FilterOf(int kq, int fd, short filter) {
  const auto found = Filters().find({kq, fd, filter});
  return found == Filters().end() ? nullptr : &found->second;
}

uint32_t EpollBits(int kq, int fd) {
  const Entry* reader = FilterOf(kq, fd, EVFILT_READ);
  const Entry* writer = FilterOf(kq, fd, EVFILT_WRITE);
  uint32_t bits = 0;
  if (reader != nullptr) bits |= EPOLLIN | EPOLLRDHUP;
  if (writer != nullptr) bits |= EPOLLOUT;
  for (const Entry* filter : {reader, writer}) {
    if (filter != nullptr && (filter->flags & EV_CLEAR) != 0) bits |= EPOLLET;
  }
  return bits;
}

bool HasFilters(int kq, int fd) {
  return FilterOf(kq, fd, EVFILT_READ) != nullptr || FilterOf(kq, fd, EVFILT_WRITE) != nullptr;
}

int Control(int kq, int operation, int fd) {
  epoll_event event = {};
  event.events = EpollBits(kq, fd);
  event.data.fd = fd;
  return epoll_ctl(kq, operation, fd, &event) < 0 ? errno : 0;
}

void DropFilters(int kq, int fd) {
  Filters().erase({kq, fd, EVFILT_READ});
  Filters().erase({kq, fd, EVFILT_WRITE});
}

// The answer is an errno, or 0.
int Make(int kq, const Entry& change) {
  const int fd = static_cast<int>(change.ident);
  const Key key = {kq, fd, change.filter};
  if (HasFilters(kq, fd)) {
    const int error = Control(kq, EPOLL_CTL_MOD, fd);
    if (error != 0) DropFilters(kq, fd);
    if (error == EBADF) return error;
  }
  const bool is_there = Filters().count(key) != 0;
  if ((change.flags & EV_ADD) == 0 && !is_there) {
    return Control(kq, EPOLL_CTL_MOD, fd) == EBADF ? EBADF : ENOENT;
  }
  const bool was_watched = HasFilters(kq, fd);
  if ((change.flags & EV_DELETE) != 0) {
    Filters().erase(key);
    return Control(kq, HasFilters(kq, fd) ? EPOLL_CTL_MOD : EPOLL_CTL_DEL, fd);
  }
  // The mode of a filter is fixed when it is made; its user data is not.
  Entry& filter = Filters().emplace(key, change).first->second;
  filter.udata = change.udata;
  const int error = Control(kq, was_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd);
  if (error != 0) Filters().erase(key);
  return error;
}

int Answer(int kq, const Entry& change) {
  ScriptedKernel& kernel = Kernel();
  kernel.changes.push_back(change);
  if (!kernel.refusals.empty()) {
    const Refusal refusal = kernel.refusals.front();
    if (refusal.filter == change.filter && (refusal.flags & change.flags) != 0) {
      kernel.refusals.pop_front();
      if (refusal.is_made) Make(kq, change);
      return refusal.error;
    }
  }
  return Make(kq, change);
}

int MakeChanges(int kq, const Entry* changes, int count, Entry* receipts, int room) {
  const std::lock_guard<std::mutex> lock(Mutex());
  ++Kernel().change_calls;
  int used = 0;
  for (int i = 0; i < count; ++i) {
    const int error = Answer(kq, changes[i]);
    // Receipts are all that kqueue.cc ever asks for.
    if ((changes[i].flags & EV_RECEIPT) == 0 || used == room) abort();
    receipts[used] = changes[i];
    receipts[used].flags = static_cast<unsigned short>(receipts[used].flags | EV_ERROR);
    receipts[used++].data = error;
  }
  if (!Kernel().interrupts_changes) return used;
  Kernel().interrupts_changes = false;
  errno = EINTR;
  return -1;
}

// One kevent for each filter that an event of epoll concerns; what finds no room comes again, being
// level-triggered.
int Report(int kq, const epoll_event& event, Entry* reports, int room) {
  const int fd = event.data.fd;
  const uint32_t ends = EPOLLHUP | EPOLLERR;
  int used = 0;
  const Entry* reader = FilterOf(kq, fd, EVFILT_READ);
  if (reader != nullptr && (event.events & (EPOLLIN | EPOLLRDHUP | ends)) != 0 && used < room) {
    reports[used] = *reader;
    reports[used++].flags = (event.events & (EPOLLRDHUP | ends)) != 0 ? EV_EOF : 0;
  }
  const Entry* writer = FilterOf(kq, fd, EVFILT_WRITE);
  if (writer != nullptr && (event.events & (EPOLLOUT | ends)) != 0 && used < room) {
    reports[used] = *writer;
    reports[used++].flags = (event.events & ends) != 0 ? EV_EOF : 0;
  }
  return used;
}

int WaitForReports(int kq, Entry* reports, int room, const timespec* limit) {
  std::unique_lock<std::mutex> lock(Mutex());
  ScriptedKernel& kernel = Kernel();
  kernel.last_room = room;
  kernel.last_had_limit = limit != nullptr;
  if (limit != nullptr) kernel.last_limit = *limit;
  if (kernel.interrupts_wait) {
    kernel.interrupts_wait = false;
    errno = EINTR;
    return -1;
  }
  // As the manual has it: the call returns at once, whatever the time limit.
  if (room == 0) return 0;
  int used = 0;
  if (!kernel.said.empty()) {
    for (const Entry& entry : kernel.said.front()) {
      if (used < room) reports[used++] = entry;
    }
    kernel.said.pop_front();
    return used;
  }
  const int64_t end = limit == nullptr ? INT64_MAX : NowNs() + limit->tv_sec * kNsPerS + limit->tv_nsec;
  for (;;) {
    const timespec left = TimeoutSpec(end - NowNs());
    pollfd polled = {kq, POLLIN, 0};
    lock.unlock();
    if (ppoll(&polled, 1, limit == nullptr ? nullptr : &left, nullptr) < 0) return -1;
    lock.lock();
    std::vector<epoll_event> events(static_cast<size_t>(room));
    const int count = epoll_wait(kq, events.data(), room, 0);
    for (int i = 0; i < count; ++i) {
      used += Report(kq, events[static_cast<size_t>(i)], reports + used, room - used);
    }
    // What epoll sees of a closed descriptor that has a duplicate, kqueue would not.
    if (used > 0 || NowNs() >= end) return used;
  }
}

}  // namespace

ScriptedKernel& Kernel() {
  static ScriptedKernel kernel;
  return kernel;
}

void ResetKernel() { Kernel() = ScriptedKernel(); }

}  // namespace fdloop

extern "C" int kqueue(void) {
  const std::lock_guard<std::mutex> lock(fdloop::Mutex());
  if (fdloop::Kernel().failing_kqueue != 0) {
    errno = fdloop::Kernel().failing_kqueue;
    return -1;
  }
  // Not close-on-exec: the real ones are not either.
  const int kq = epoll_create1(0);
  auto& filters = fdloop::Filters();
  for (auto filter = filters.begin(); filter != filters.end();) {
    filter = std::get<0>(filter->first) == kq ? filters.erase(filter) : std::next(filter);
  }
  return kq;
}

extern "C" int kevent(int kq, const struct kevent* changes, int change_count, struct kevent* events, int room,
                      const struct timespec* limit) {
  return change_count > 0 ? fdloop::MakeChanges(kq, changes, change_count, events, room)
                          : fdloop::WaitForReports(kq, events, room, limit);
}
