// iocp.cc: Windows' completion port as a selector, by requests to AFD (afd.h) that complete when a socket is
// ready. Only sockets can be watched.
//
// A request is one-shot and about one socket. Level-triggered it becomes by asking again before each wait
// what was answered before; a socket that is ready still answers at once. For each socket there is at most
// one request, for both directions: of two at a time the kernel would lose answers.
//
//     idle --Submit--> asked --packet--> idle
//                        +----Cancel--> cancelled --packet--> idle
//
// Changes are only noted (`updates_`) and submitted together before the next wait, so that a burst of them
// costs one request for each socket. A request in flight that covers the new mask stays; otherwise it is
// cancelled, and the wait begins with its packet. A socket that was removed is kept, with the memory of its
// request, until its packet has come (`retired_`): packets name the memory and never the number, so what they
// say cannot hit another socket that has got the number since.
//
// An answer that came before the wait may be outdated: what it tells may have been dealt with in between. So
// it is not reported but asked for again, which costs a request for an event that came between two waits, and
// makes a report as true as epoll's.
//
// A socket that is closed while it is asked about answers so, at the latest when its last handle is closed.
// Its registration is dropped then, as epoll does it. So is that of a socket that was closed at another time,
// when it is looked at the next time: its identity is not the one that was registered.
//
// Threads: packets go to whichever thread waits on the port, so the owner's Wait is alone there. It sends
// away the threads in WaitElsewhere, who come back when it is done, and holds the mutex. They give it up
// while they are in the kernel; what the owner changes meanwhile is submitted at once.
#include <stdint.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/condition.h"
#include "selector/afd.h"
#include "selector/afd_groups.h"
#include "selector/deadline.h"
#include "selector/registry.h"
#include "selector/timeout.h"
#include "socket/socket.h"

namespace fdloop {

namespace {

using Lock = std::unique_lock<std::mutex>;

// How many packets are taken from the port at a time.
constexpr size_t kBatch = 256;

constexpr ULONG kFailed = kAfdAbort | kAfdConnectFail;

// Success of a connect is not asked for by its own event, which stays true as long as the connection.
ULONG EventsOf(int mask) {
  return ((mask & kRead) != 0 ? kAfdReceive | kAfdAccept | kAfdDisconnect | kFailed : 0) |
         ((mask & kWrite) != 0 ? kAfdSend | kFailed : 0) |
         ((mask & kPriority) != 0 ? kAfdReceiveExpedited : 0);
}

int MaskOf(ULONG events) {
  const bool failed = (events & (kFailed | kAfdFailure)) != 0;
  return (failed || (events & (kAfdReceive | kAfdAccept | kAfdDisconnect)) != 0 ? kRead : 0) |
         (failed || (events & kAfdSend) != 0 ? kWrite : 0) |
         ((events & kAfdReceiveExpedited) != 0 ? kPriority : 0);
}

using Groups = AfdGroups<AfdDoors>;

enum class State { kIdle, kAsked, kCancelled };

struct Watch : AfdRequest {
  int fd = -1;  // Stays so for the wake-up descriptor of a thread in WaitElsewhere.
  SOCKET base = INVALID_SOCKET;
  uint64_t identity = 0;
  Groups::Group* group = nullptr;
  ULONG wanted = 0;  // Events of the registered mask.
  ULONG asked = 0;   // Those of the request in flight.
  State state = State::kIdle;
  bool is_queued = false;   // In `updates_`.
  bool is_retired = false;  // In `retired_`.
};

// The facility counts in milliseconds, and a limit is rounded up to that, however soon it is over.
Deadline WholeMilliseconds(int64_t timeout_ns) {
  return Deadline(timeout_ns < 0 ? -1 : TimeoutMs(timeout_ns) * kNsPerMs);
}

DWORD Milliseconds(const Deadline& deadline) {
  return deadline.IsEndless() ? INFINITE : static_cast<DWORD>(TimeoutMs(deadline.LeftNs()));
}

// Whether the number is that of the socket which was registered. Of one that was closed by other means than
// ours only its last answer tells.
bool IsStillOpen(const Watch& watch) {
  uint64_t identity = 0;
  return DescriptorIdentity(watch.fd, &identity) == 0 && identity == watch.identity;
}

class Iocp final : public Selector {
 public:
  explicit Iocp(HANDLE port) : port_(port), groups_(AfdDoors(port)) {}
  ~Iocp() override { Iocp::CloseFacility(); }

  const char* Name() const override { return "iocp"; }
  int Fd() const override { return -1; }

  Result Add(int fd, int mask) override;
  Result Modify(int fd, int mask) override;
  Result Remove(int fd) override;
  Result Wait(int64_t timeout_ns, Event* events, int max_events) override;
  Result WaitElsewhere(int wake_fd) override;

 protected:
  void CloseFacility() override;

 private:
  Result Make(int fd, std::unique_ptr<Watch>* watch);
  Watch* Find(int fd);
  void Forget(int fd);
  void Retire(std::unique_ptr<Watch> watch);
  void Cancel(Watch* watch);

  void Queue(Watch* watch);
  void QueueReported();
  void Changed();
  Result Submit(Watch* watch);
  Result Flush();

  Result Dequeue(DWORD timeout_ms, OVERLAPPED_ENTRY* packets, size_t room);
  ULONG Settle(AfdRequest* request);
  Result SettleOld(DWORD timeout_ms);
  Result Prepare();
  Result Report(int64_t timeout_ns, Event* events, int max_events);

  void SendAway() { PostQueuedCompletionStatus(port_, 0, 0, nullptr); }
  Result WaitAmongOthers(Lock* lock);

  std::mutex mutex_;  // For all below.
  HANDLE port_;
  Groups groups_;
  std::unordered_map<int, std::unique_ptr<Watch>> watches_;
  std::unordered_map<Watch*, std::unique_ptr<Watch>> retired_;
  std::vector<int> updates_;   // What has to be asked, or asked differently, by descriptor.
  std::vector<int> reported_;  // What the last Wait reported: asked again behind everything else.
  size_t in_flight_ = 0;       // Packets that will come,
  size_t cancelled_ = 0;       // and those of them that were asked to hurry.
  OVERLAPPED_ENTRY packets_[kBatch];

  Condition turn_;  // Of the four below.
  bool owner_waits_ = false;
  size_t elsewhere_ = 0;  // Threads in WaitElsewhere that use the port.
  bool leaving_ = false;  // All of them are to leave before one comes back,
  bool ready_ = false;    // because there is something to report.
};

Result Iocp::Make(int fd, std::unique_ptr<Watch>* watch) {
  auto made = std::make_unique<Watch>();
  Result result = CheckSocket(fd);
  if (result >= 0) result = FindBaseSocket(AsSocket(fd), QuerySocket, &made->base);
  if (result >= 0) result = groups_.Take(&made->group);
  if (result < 0) return result;
  *watch = std::move(made);
  return 0;
}

// A registration whose socket was closed is none any more. It may have answered so already, in a packet that
// has not been taken yet.
Watch* Iocp::Find(int fd) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return nullptr;
  Watch* watch = found->second.get();
  const bool is_answered = watch->state != State::kIdle && watch->IsAnswered();
  if (IsStillOpen(*watch) && !(is_answered && (watch->Answer() & kAfdLocalClose) != 0)) return watch;
  Forget(fd);
  return nullptr;
}

void Iocp::Forget(int fd) {
  const auto found = watches_.find(fd);
  std::unique_ptr<Watch> watch = std::move(found->second);
  watches_.erase(found);
  Retire(std::move(watch));
}

void Iocp::Retire(std::unique_ptr<Watch> watch) {
  if (watch->state == State::kIdle) {
    groups_.GiveBack(watch->group);
    return;
  }
  if (watch->state == State::kAsked) Cancel(watch.get());
  watch->is_retired = true;
  Watch* key = watch.get();
  retired_.emplace(key, std::move(watch));
}

void Iocp::Cancel(Watch* watch) {
  watch->Cancel(watch->group->door);
  watch->state = State::kCancelled;
  ++cancelled_;
}

void Iocp::Queue(Watch* watch) {
  if (watch->is_queued) return;
  watch->is_queued = true;
  updates_.push_back(watch->fd);
}

// What has not been reported comes before what has, so that a small array starves nobody.
void Iocp::QueueReported() {
  for (const int fd : reported_) {
    const auto found = watches_.find(fd);
    if (found != watches_.end()) Queue(found->second.get());
  }
  reported_.clear();
}

// A failure is met again by the threads themselves, when they come back.
void Iocp::Changed() {
  if (elsewhere_ > 0 && Flush() < 0) SendAway();
}

Result Iocp::Submit(Watch* watch) {
  const Result result = watch->Submit(watch->group->door, watch->base, watch->wanted);
  if (result < 0) return result;
  watch->asked = watch->wanted;
  watch->state = State::kAsked;
  ++in_flight_;
  return 0;
}

// Submits what has to be asked, but first cancels what is in the way; then the rest has to wait for the
// packets. Numbers of registrations that were removed or done already may be in the list.
Result Iocp::Flush() {
  for (const int fd : updates_) {
    const auto found = watches_.find(fd);
    if (found == watches_.end()) continue;
    Watch* watch = found->second.get();
    if (watch->state == State::kAsked && (watch->wanted & ~watch->asked) != 0) Cancel(watch);
  }
  if (cancelled_ > 0) return 0;
  Result result = 0;
  size_t done = 0;
  for (; done < updates_.size(); ++done) {
    const auto found = watches_.find(updates_[done]);
    if (found == watches_.end() || !found->second->is_queued) continue;
    Watch* watch = found->second.get();
    // Without an interest there is nothing to ask.
    if (watch->state == State::kIdle && watch->wanted != 0) {
      result = IsStillOpen(*watch) ? Submit(watch) : -EBADF;
    }
    if (result == -EBADF) {
      Forget(watch->fd);
      result = 0;
      continue;
    }
    if (result < 0) break;
    watch->is_queued = false;
  }
  updates_.erase(updates_.begin(), updates_.begin() + static_cast<ptrdiff_t>(done));
  return result;
}

// The number of packets; none when the time is over.
Result Iocp::Dequeue(DWORD timeout_ms, OVERLAPPED_ENTRY* packets, size_t room) {
  ULONG count = 0;
  if (GetQueuedCompletionStatusEx(port_, packets, static_cast<ULONG>(std::min(room, kBatch)), &count,
                                  timeout_ms, FALSE)) {
    return static_cast<Result>(count);
  }
  // The count is not to be trusted then.
  return GetLastError() == WAIT_TIMEOUT ? 0 : LastWindowsFailure();
}

// Takes note that the packet of a request has come. The answer is what it says of the registered interest,
// and if that is nothing the socket is asked again.
ULONG Iocp::Settle(AfdRequest* request) {
  auto* watch = static_cast<Watch*>(request);
  --in_flight_;
  if (watch->state == State::kCancelled) --cancelled_;
  watch->state = State::kIdle;
  if (watch->is_retired) {
    groups_.GiveBack(watch->group);
    retired_.erase(watch);
    return 0;
  }
  if (watch->fd < 0) return kAfdReceive;
  const ULONG answer = watch->Answer();
  if ((answer & kAfdLocalClose) != 0) {
    Forget(watch->fd);
    return 0;
  }
  const ULONG told = watch->wanted == 0 ? 0 : answer & (watch->wanted | kAfdFailure);
  if (told == 0) Queue(watch);
  return told;
}

// Takes packets whose answers may be outdated.
Result Iocp::SettleOld(DWORD timeout_ms) {
  for (;; timeout_ms = 0) {
    const Result count = Dequeue(timeout_ms, packets_, kBatch);
    if (count < 0) return count;
    for (Result i = 0; i < count; ++i) {
      AfdRequest* request = AfdRequest::Of(packets_[i]);
      if (request != nullptr && Settle(request) != 0) Queue(static_cast<Watch*>(request));
    }
    if (static_cast<size_t>(count) < kBatch) return 0;
  }
}

// Until every registered socket is asked about what is wanted.
Result Iocp::Prepare() {
  Result result = in_flight_ > 0 ? SettleOld(0) : 0;
  QueueReported();
  if (result >= 0) result = Flush();
  while (result >= 0 && cancelled_ > 0) {
    result = SettleOld(INFINITE);
    if (result >= 0) result = Flush();
  }
  return result;
}

Result Iocp::Report(int64_t timeout_ns, Event* events, int max_events) {
  const Deadline deadline = WholeMilliseconds(timeout_ns);
  const auto most = static_cast<size_t>(max_events);
  size_t used = 0;
  for (;;) {
    const size_t room = std::min(most - used, kBatch);
    const Result count = Dequeue(used > 0 ? 0 : Milliseconds(deadline), packets_, room);
    if (count < 0) return used > 0 ? static_cast<Result>(used) : count;
    for (Result i = 0; i < count; ++i) {
      AfdRequest* request = AfdRequest::Of(packets_[i]);
      const ULONG told = request == nullptr ? 0 : Settle(request);
      if (told == 0) continue;
      const int fd = static_cast<Watch*>(request)->fd;
      events[used++] = {fd, MaskOf(told)};
      reported_.push_back(fd);
    }
    if (used == most || (used > 0 && static_cast<size_t>(count) < room)) return static_cast<Result>(used);
    // Packets that told nothing do not end the wait.
    const Result flushed = Flush();
    if (flushed < 0) return flushed;
    if (count == 0 && !deadline.IsEndless() && deadline.LeftNs() == 0) return 0;
  }
}

Result Iocp::Add(int fd, int mask) {
  Lock lock(mutex_);
  if (IsClosed() || fd < 0) return -EBADF;
  if (Find(fd) != nullptr) return -EEXIST;
  std::unique_ptr<Watch> watch;
  const Result result = Make(fd, &watch);
  if (result < 0) return result;
  watch->fd = fd;
  DescriptorIdentity(fd, &watch->identity);
  watch->wanted = EventsOf(mask);
  Queue(watch.get());
  watches_.emplace(fd, std::move(watch));
  Changed();
  return 0;
}

Result Iocp::Modify(int fd, int mask) {
  Lock lock(mutex_);
  if (IsClosed() || fd < 0) return -EBADF;
  Watch* watch = Find(fd);
  if (watch == nullptr) return -ENOENT;
  watch->wanted = EventsOf(mask);
  Queue(watch);
  Changed();
  return 0;
}

Result Iocp::Remove(int fd) {
  Lock lock(mutex_);
  if (IsClosed() || fd < 0) return -EBADF;
  if (Find(fd) == nullptr) return -ENOENT;
  Forget(fd);
  Changed();
  return 0;
}

Result Iocp::Wait(int64_t timeout_ns, Event* events, int max_events) {
  Lock lock(mutex_);
  if (IsClosed()) return -EBADF;
  if (max_events <= 0) return -EINVAL;
  owner_waits_ = true;
  if (elsewhere_ > 0) SendAway();
  while (elsewhere_ > 0) turn_.Wait(&lock);
  Result result = Prepare();
  if (result >= 0) result = Report(timeout_ns, events, max_events);
  owner_waits_ = false;
  turn_.Signal();
  return result;
}

Result Iocp::WaitElsewhere(int wake_fd) {
  Lock lock(mutex_);
  while (owner_waits_ || leaving_) turn_.Wait(&lock);
  std::unique_ptr<Watch> waker;
  Result result = Make(wake_fd, &waker);
  if (result < 0) return result;
  waker->wanted = EventsOf(kRead);
  ++elsewhere_;
  result = Submit(waker.get());
  if (result >= 0) result = WaitAmongOthers(&lock);
  if (result > 0) ready_ = true;
  if (result == 0 && ready_) result = 1;
  // Everybody leaves, one after the other: a packet that one has taken may have been meant for another.
  leaving_ = --elsewhere_ > 0;
  if (leaving_) {
    SendAway();
  } else {
    ready_ = false;
  }
  Retire(std::move(waker));
  turn_.Signal();
  return result;
}

Result Iocp::WaitAmongOthers(Lock* lock) {
  QueueReported();
  OVERLAPPED_ENTRY packets[16];
  for (;;) {
    const Result flushed = Flush();
    if (flushed < 0) return flushed;
    lock->unlock();
    const Result count = Dequeue(INFINITE, packets, sizeof packets / sizeof *packets);
    lock->lock();
    if (count < 0) return count;
    bool is_sent_away = false;
    bool is_ready = false;
    for (Result i = 0; i < count; ++i) {
      AfdRequest* request = AfdRequest::Of(packets[i]);
      if (request == nullptr) {
        is_sent_away = true;
        continue;
      }
      if (Settle(request) == 0) continue;
      auto* watch = static_cast<Watch*>(request);
      if (watch->fd < 0) {
        is_sent_away = true;
      } else {
        // The owner will ask again.
        Queue(watch);
        is_ready = true;
      }
    }
    if (is_ready) return 1;
    if (is_sent_away) return 0;
  }
}

void Iocp::CloseFacility() {
  if (port_ == nullptr) return;
  groups_.CancelAll();
  while (in_flight_ > 0) {
    const Result count = Dequeue(INFINITE, packets_, kBatch);
    for (Result i = 0; i < count; ++i) in_flight_ -= AfdRequest::Of(packets_[i]) == nullptr ? 0 : 1;
  }
  groups_.Close();
  CloseHandle(port_);
  port_ = nullptr;
  watches_.clear();
  retired_.clear();
}

}  // namespace

Result MakeIocp(std::unique_ptr<Selector>* selector) {
  const Result started = StartWinsock();
  if (started < 0) return started;
  const HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 0);
  if (port == nullptr) return LastWindowsFailure();
  selector->reset(new Iocp(port));
  return 0;
}

}  // namespace fdloop
