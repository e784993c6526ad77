// signal_posix.cc: signals by sigaction. The handler runs on any thread, between any two instructions: it
// touches atomics only, and makes no call but send and the host's handler.
#include "process/signal.h"

#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "socket/socket.h"

namespace fdloop {

namespace {

// One more than the largest number of any system.
constexpr int kSignalEnd = 129;

using PlainHandler = void (*)(int);
using InfoHandler = void (*)(int, siginfo_t*, void*);
static_assert(std::atomic<PlainHandler>::is_always_lock_free && std::atomic<int>::is_always_lock_free,
              "a handler must not wait for a lock");

struct Watcher {
  int fd;
  const void* owner;
  bool is_told;
};

struct Entry {
  std::vector<Watcher> watchers;  // Those that reserved it; the last one that is to be told, is.
  bool host_listens = false;
  bool original_is_hosts = false;
  struct sigaction original = {};  // What there was before the first reservation,
  struct sigaction below = {};     // and what ours is on top of.

  // What the handler reads. -1, or null: nobody.
  std::atomic<int> target{-1};
  std::atomic<PlainHandler> plain_host{nullptr};
  std::atomic<InfoHandler> info_host{nullptr};
  // And writes: how many are in it, with `target` in hand; and what found the socket full.
  std::atomic<int> users{0};
  std::atomic<int> missed{0};
};

// Never destroyed: a handler may run while the process exits.
Entry* const entries = new Entry[kSignalEnd];
std::mutex mutex;

void OnSignal(int number, siginfo_t* info, void* context) {
  const int interrupted = errno;
  Entry& entry = entries[number];
  ++entry.users;
  const int fd = entry.target;
  if (fd >= 0) {
    const auto byte = static_cast<uint8_t>(number);
    // A full socket wakes its reader just as well, who then asks for what was missed.
    if (Send(fd, &byte, 1, kDoNotWait) < 0) ++entry.missed;
  }
  --entry.users;
  if (const PlainHandler host = entry.plain_host) host(number);
  if (const InfoHandler host = entry.info_host) host(number, info, context);
  errno = interrupted;
}

bool IsOurs(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == OnSignal;
}

bool IsHandler(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 ||
         (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

bool IsDefault(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_DFL;
}

bool AreSame(const struct sigaction& one, const struct sigaction& other) {
  if (((one.sa_flags ^ other.sa_flags) & SA_SIGINFO) != 0) return false;
  if ((one.sa_flags & SA_SIGINFO) != 0) return one.sa_sigaction == other.sa_sigaction;
  return one.sa_handler == other.sa_handler;
}

Result SetAction(int number, const struct sigaction& action) {
  return sigaction(number, &action, nullptr) < 0 ? LastFailure() : 0;
}

struct sigaction ActionOf(int number) {
  struct sigaction action = {};
  sigaction(number, nullptr, &action);
  return action;
}

// After this no handler on any thread has another target in hand.
void SetTarget(Entry* entry, int fd) {
  if (entry->target.exchange(fd) == fd) return;
  entry->missed = 0;
  while (entry->users > 0) sched_yield();
}

// On top of whatever is there, unless it is ours already.
Result Install(int number) {
  Entry& entry = entries[number];
  const struct sigaction current = ActionOf(number);
  if (IsOurs(current)) return 0;
  const bool is_original = AreSame(current, entry.original);
  const bool is_hosts = IsHandler(current) && (entry.host_listens || !is_original);
  const bool takes_info = (current.sa_flags & SA_SIGINFO) != 0;
  entry.below = current;
  entry.original_is_hosts = is_hosts && is_original;
  entry.plain_host = is_hosts && !takes_info ? current.sa_handler : nullptr;
  entry.info_host = is_hosts && takes_info ? current.sa_sigaction : nullptr;
  struct sigaction ours = {};
  ours.sa_sigaction = OnSignal;
  // libuv's handler counts on not being interrupted by another entry.
  sigfillset(&ours.sa_mask);
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  return SetAction(number, ours);
}

// Brings the process in line with the list of watchers.
Result Settle(int number) {
  Entry& entry = entries[number];
  const auto top = std::find_if(entry.watchers.rbegin(), entry.watchers.rend(),
                                [](const Watcher& watcher) { return watcher.is_told; });
  if (top != entry.watchers.rend()) {
    SetTarget(&entry, top->fd);
    return Install(number);
  }
  SetTarget(&entry, -1);
  // Whoever has replaced ours meanwhile is left alone.
  if (IsOurs(ActionOf(number))) SetAction(number, entry.below);
  if (!entry.watchers.empty()) return 0;
  if (!entry.original_is_hosts && IsDefault(ActionOf(number))) SetAction(number, entry.original);
  entry.host_listens = entry.original_is_hosts = false;
  return 0;
}

std::vector<Watcher>::iterator Find(Entry* entry, int fd) {
  return std::find_if(entry->watchers.begin(), entry->watchers.end(),
                      [fd](const Watcher& watcher) { return watcher.fd == fd; });
}

}  // namespace

Result IsSignal(int number) {
  sigset_t all;
  sigfillset(&all);
  return number > 0 && number < kSignalEnd && sigismember(&all, number) == 1 ? 1 : 0;
}

Result ReserveSignal(int number, int fd, const void* owner) {
  if (IsSignal(number) == 0) return -EINVAL;
  if (fd < 0) return -EBADF;
  const std::lock_guard<std::mutex> lock(mutex);
  Entry& entry = entries[number];
  if (Find(&entry, fd) != entry.watchers.end()) return -EEXIST;
  if (entry.watchers.empty()) {
    entry.original = ActionOf(number);
    // Changes nothing, and is refused for what cannot be caught.
    const Result result = SetAction(number, entry.original);
    if (result < 0) return result;
  }
  entry.watchers.push_back({fd, owner, false});
  return 0;
}

Result WatchSignal(int number, int fd, bool host_listens) {
  if (IsSignal(number) == 0) return -EINVAL;
  const std::lock_guard<std::mutex> lock(mutex);
  Entry& entry = entries[number];
  const auto found = Find(&entry, fd);
  if (found == entry.watchers.end()) return -ENOENT;
  found->is_told = true;
  std::rotate(found, found + 1, entry.watchers.end());
  entry.host_listens = entry.host_listens || host_listens;
  return Settle(number);
}

Result UnwatchSignal(int number, int fd) {
  if (IsSignal(number) == 0) return -EINVAL;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = Find(&entries[number], fd);
  if (found == entries[number].watchers.end()) return -ENOENT;
  found->is_told = false;
  return Settle(number);
}

Result ReleaseSignal(int number, int fd) {
  if (IsSignal(number) == 0) return -EINVAL;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = Find(&entries[number], fd);
  if (found == entries[number].watchers.end()) return -ENOENT;
  entries[number].watchers.erase(found);
  return Settle(number);
}

void ForgetSignals(const void* owner) {
  const std::lock_guard<std::mutex> lock(mutex);
  for (int number = 1; number < kSignalEnd; ++number) {
    std::vector<Watcher>& watchers = entries[number].watchers;
    const auto gone = std::remove_if(watchers.begin(), watchers.end(),
                                     [owner](const Watcher& watcher) { return watcher.owner == owner; });
    if (gone == watchers.end()) continue;
    watchers.erase(gone, watchers.end());
    Settle(number);
  }
}

Result TakeMissedSignals(int number, int fd) {
  if (IsSignal(number) == 0) return -EINVAL;
  Entry& entry = entries[number];
  return entry.target == fd ? entry.missed.exchange(0) : 0;
}

}  // namespace fdloop
