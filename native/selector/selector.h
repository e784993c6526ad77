// selector.h: the contract of a kernel readiness facility. One leaf file for each facility (epoll.cc,
// poll.cc, select.cc, ...); registry.h makes them by name. This file must not grow system headers, defaults
// or policy.
//
// A selector remembers descriptors with the directions that are of interest, and tells which of them are
// ready.
//
// Guaranteed by every leaf:
//
//  - Level-triggered, unless kEdge is set: what was ready and has not been dealt with is reported again by
//    the next Wait.
//  - One Wait gives at most one entry for a descriptor.
//  - Add answers -EEXIST for a known descriptor, Modify and Remove answer -ENOENT for an unknown one, all of
//    them -EBADF for a negative one. These three answers change nothing.
//  - An Add that the kernel refuses leaves nothing behind. A Modify that the kernel refuses forgets the
//    descriptor, because the kernel no longer has what was recorded. Remove forgets the descriptor whatever
//    the kernel says: it may have been closed before, which empties the kernel's table without telling us.
//  - A reported mask has kRead unless the kernel reported output only, and kWrite unless it reported input
//    only. So errors and hang-ups come as both (of kqueue as whichever it was asked for), and whoever waits
//    for either direction learns of them. It has kPriority only if the kernel said so, which counts as
//    neither direction. The mask is not limited to the registered one; that is the caller's affair.
//  - A time limit is rounded up to what the facility can express. Rounded down, a wait for less than a
//    millisecond would be a busy loop until the time has passed. It is capped at about 24 days.
//  - An interrupted wait (EINTR) is a wait with no entries. The caller knows its deadline.
//  - When more is ready than there is room for, later waits report the others before the same ones again.
//  - A regular file or a directory that would be ready for ever is refused with -EPERM (watchable.h). On
//    Windows, whatever is open and no socket is refused with -ENOTSOCK.
//  - After Close every verb answers -EBADF, Close too may be repeated, and Fd gives -1.
//
// Threads: all verbs belong to one thread, the owner, except WaitElsewhere.
//
// Not guaranteed:
//
//  - Any order of the entries.
//  - What happens with a descriptor that is closed while it is registered. kqueue forgets it in silence; iocp
//    and epoll too, or, if a duplicate keeps the socket or open file alive, go on seeing it (epoll's leaf
//    then drops what it reports); poll reports it with both bits; select fails the whole Wait with -EBADF.
//  - Which other descriptors can be watched. epoll refuses devices that never wait, such as /dev/null, with
//    -EPERM, macOS's kqueue terminals and other devices with -EINVAL, select refuses numbers from FD_SETSIZE
//    on with -EINVAL (not Windows' own), iocp sockets behind a provider that hides them with -ENOTSUP.
//  - That a mask of 0 reports anything. epoll and poll report errors and hang-ups, the others nothing.
#ifndef FDLOOP_SELECTOR_SELECTOR_H_
#define FDLOOP_SELECTOR_SELECTOR_H_

#include <stdint.h>

#include <vector>

#include "base/result.h"

namespace fdloop {

// Directions.
constexpr int kRead = 1;
constexpr int kWrite = 2;

// Outside of asyncio's contract, and far from its bits. A leaf ignores what its facility does not have, as it
// does any other bit; the caller knows which those are.
//
//  - kPriority (epoll, iocp, poll, select): urgent data, or an exceptional condition of a pseudo file.
//  Reported too.
//  - kEdge (epoll, kqueue): reported once for each time that something new happens, instead of
//  level-triggered.
//  - kOneShot (epoll): after one report nothing more, errors included, until the next Modify.
constexpr int kPriority = 0x10000;
constexpr int kEdge = 0x20000;
constexpr int kOneShot = 0x40000;

// One entry of a Wait. Two int32 in a row, so that an Int32Array can be filled in place.
struct Event {
  int32_t fd;
  int32_t mask;
};
static_assert(sizeof(Event) == 2 * sizeof(int32_t), "events are pairs of int32");

// Someone who waits on the selector in another way than by Wait: a thread, or another loop's selector. Both
// calls come on the owner's thread.
class SelectorObserver {
 public:
  // What is of interest has changed. Only leaves whose WaitElsewhere works on a copy need to say so.
  virtual void InterestsChanged() = 0;

  // The selector is about to close. When this returns, no thread may be in WaitElsewhere and no loop may
  // watch Fd(): the number is free for reuse from then on. The observer may remove itself here.
  virtual void SelectorClosing() = 0;

 protected:
  ~SelectorObserver() = default;
};

class Selector {
 public:
  Selector() = default;
  Selector(const Selector&) = delete;
  Selector& operator=(const Selector&) = delete;

  // Releases the facility without asking observers; there are none by then.
  virtual ~Selector();

  virtual const char* Name() const = 0;

  // A descriptor that is readable while Wait has something to report, or -1 if the facility has none.
  virtual int Fd() const = 0;

  // Starts, changes and stops watching a descriptor.
  virtual Result Add(int fd, int mask) = 0;
  virtual Result Modify(int fd, int mask) = 0;
  virtual Result Remove(int fd) = 0;

  // Waits at most `timeout_ns` nanoseconds (0 polls, a negative number waits without limit) and fills
  // `events`. The answer is the number of entries; -EINVAL if `max_events` is not positive.
  virtual Result Wait(int64_t timeout_ns, Event* events, int max_events) = 0;

  // Blocks until Wait would report something (1), or `wake_fd` is readable or the wait was interrupted (0),
  // or -errno, which Wait would report as well. Reports nothing itself. May run on another thread than the
  // owner's while the owner uses every verb but Close. It may miss changes that are made while it runs; an
  // observer is told about those (InterestsChanged) and makes `wake_fd` readable.
  virtual Result WaitElsewhere(int wake_fd) = 0;

  // Tells the observers, then releases the facility.
  void Close();
  bool IsClosed() const { return is_closed_; }

  void AddObserver(SelectorObserver* observer);
  void RemoveObserver(SelectorObserver* observer);

 protected:
  // Releases the facility. May be called again.
  virtual void CloseFacility() = 0;

  // For leaves whose WaitElsewhere works on a copy.
  void TellInterestsChanged();

 private:
  bool is_closed_ = false;
  std::vector<SelectorObserver*> observers_;
};

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_SELECTOR_H_
