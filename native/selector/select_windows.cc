// select_windows.cc: Winsock's select() as a selector, for hosts without AFD, and as a second opinion. Its
// sets are lists of sockets, counted at the front, and any number fits: the usual limit is that of the usual
// type. They are made anew for each wait.
//
// Two things are unlike other systems'. A failed connect is told as an exceptional condition only, as urgent
// data is, so writers without a peer are put into that set too; if they have none afterwards either, they
// have failed. And three empty sets are refused, so there the wait is a plain sleep.
#include <stddef.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/winsock.h"
#include "selector/deadline.h"
#include "selector/registry.h"
#include "selector/table_selector.h"
#include "selector/timeout.h"

namespace fdloop {

namespace {

constexpr int kUsPerS = 1000 * 1000;

// As fd_set, with as many sockets as there are.
class SocketSet {
 public:
  // For so many sockets at most.
  explicit SocketSet(size_t capacity) : words_(1 + capacity) {}

  void Add(int fd) { sockets()[(*count())++] = AsSocket(fd); }
  bool IsEmpty() const { return *count() == 0; }
  fd_set* get() { return IsEmpty() ? nullptr : reinterpret_cast<fd_set*>(words_.data()); }

  template <typename Visit>
  void ForEach(Visit visit) {
    for (u_int i = 0; i < *count(); ++i) visit(static_cast<int>(sockets()[i]));
  }

 private:
  static_assert(offsetof(fd_set, fd_array) == sizeof(SOCKET), "the count takes the first word");

  u_int* count() { return reinterpret_cast<u_int*>(words_.data()); }
  const u_int* count() const { return reinterpret_cast<const u_int*>(words_.data()); }
  SOCKET* sockets() { return words_.data() + 1; }

  std::vector<SOCKET> words_;
};

bool HasPeer(int fd) {
  sockaddr_storage address;
  int length = sizeof address;
  return getpeername(AsSocket(fd), reinterpret_cast<sockaddr*>(&address), &length) == 0;
}

struct Interest {
  int fd;
  int mask;
};

class Select final : public TableSelector<Interest> {
 public:
  const char* Name() const override { return "select"; }

  Result Wait(int64_t timeout_ns, Event* events, int max_events) override;
  Result WaitElsewhere(int wake_fd) override;

 protected:
  Interest MakeEntry(int fd, int mask) const override { return {fd, mask}; }

 private:
  using Interests = std::vector<Interest>;

  // Fills `ready` with what select() tells, in the order of `entries`. The answer is their number.
  static Result Ask(const Interests& entries, const Deadline& deadline, Interests* ready);

  size_t next_ = 0;  // Where the next report starts: behind the last entry that was reported.
};

Result Select::Ask(const Interests& entries, const Deadline& deadline, Interests* ready) {
  SocketSet readers(entries.size());
  SocketSet writers(entries.size());
  SocketSet exceptional(entries.size());
  for (const Interest& entry : entries) {
    const bool may_fail = (entry.mask & kWrite) != 0 && !HasPeer(entry.fd);
    if ((entry.mask & kRead) != 0) readers.Add(entry.fd);
    if ((entry.mask & kWrite) != 0) writers.Add(entry.fd);
    if ((entry.mask & kPriority) != 0 || may_fail) exceptional.Add(entry.fd);
  }
  if (readers.IsEmpty() && writers.IsEmpty() && exceptional.IsEmpty()) {
    Sleep(deadline.IsEndless() ? INFINITE : static_cast<DWORD>(TimeoutMs(deadline.LeftNs())));
    return 0;
  }
  const int64_t us = deadline.IsEndless() ? 0 : TimeoutUs(deadline.LeftNs());
  timeval limit = {static_cast<long>(us / kUsPerS), static_cast<long>(us % kUsPerS)};
  // The first argument means nothing here.
  if (select(0, readers.get(), writers.get(), exceptional.get(), deadline.IsEndless() ? nullptr : &limit) ==
      SOCKET_ERROR) {
    // What is open was a socket when it was added.
    return WSAGetLastError() == WSAENOTSOCK ? -EBADF : LastWinsockFailure();
  }
  std::unordered_map<int, int> masks;
  readers.ForEach([&](int fd) { masks[fd] |= kRead; });
  writers.ForEach([&](int fd) { masks[fd] |= kWrite; });
  exceptional.ForEach([&](int fd) { masks[fd] |= HasPeer(fd) ? kPriority : kRead | kWrite; });
  for (const Interest& entry : entries) {
    const auto found = masks.find(entry.fd);
    if (found == masks.end()) continue;
    // Of a connect that has succeeded meanwhile, and urgent data already, the latter is nobody's business.
    const int mask = found->second & (kRead | kWrite | (entry.mask & kPriority));
    if (mask != 0) ready->push_back({entry.fd, mask});
  }
  return static_cast<Result>(ready->size());
}

Result Select::Wait(int64_t timeout_ns, Event* events, int max_events) {
  if (IsClosed()) return -EBADF;
  if (max_events <= 0) return -EINVAL;
  if (next_ >= entries_.size()) next_ = 0;
  Interests entries = entries_;
  std::rotate(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(next_), entries.end());
  Interests ready;
  const Deadline deadline(timeout_ns);
  do {
    const Result result = Ask(entries, deadline, &ready);
    if (result < 0) return result;
    // The system's clock is coarse: its wait may end a little early.
  } while (ready.empty() && (deadline.IsEndless() || deadline.LeftNs() > 0));
  const size_t used = std::min(ready.size(), static_cast<size_t>(max_events));
  for (size_t i = 0; i < used; ++i) events[i] = {ready[i].fd, ready[i].mask};
  if (used > 0) next_ = index_by_fd_[ready[used - 1].fd] + 1;
  return static_cast<Result>(used);
}

Result Select::WaitElsewhere(int wake_fd) {
  Interests entries;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    entries = entries_;
  }
  entries.push_back({wake_fd, kRead});
  Interests ready;
  const Deadline endless(-1);
  while (ready.empty()) {
    const Result result = Ask(entries, endless, &ready);
    if (result < 0) return result;
  }
  return ready.front().fd != wake_fd ? 1 : 0;
}

}  // namespace

Result MakeSelect(std::unique_ptr<Selector>* selector) {
  const Result started = StartWinsock();
  if (started < 0) return started;
  selector->reset(new Select());
  return 0;
}

}  // namespace fdloop
