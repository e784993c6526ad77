// sys/event.h: what kqueue.cc needs of this header of macOS and the BSDs, for systems that do not have it.
// The layout is that of the system that is compiled for (scripts/check-bsd.js asks for each), and FreeBSD's
// on Linux, where scripted_kqueue.cc plays the kernel.
#ifndef FDLOOP_TEST_KQUEUE_SYS_EVENT_H_
#define FDLOOP_TEST_KQUEUE_SYS_EVENT_H_

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#ifdef __NetBSD__
#define EVFILT_READ 0U
#define EVFILT_WRITE 1U
#else
#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#endif

#ifdef __NetBSD__
#define FDLOOP_EV(bits) bits##U
#else
#define FDLOOP_EV(bits) bits
#endif

#define EV_ADD FDLOOP_EV(0x0001)
#define EV_DELETE FDLOOP_EV(0x0002)
#define EV_ENABLE FDLOOP_EV(0x0004)
#define EV_CLEAR FDLOOP_EV(0x0020)
#define EV_RECEIPT FDLOOP_EV(0x0040)
#define EV_ERROR FDLOOP_EV(0x4000)
#define EV_EOF FDLOOP_EV(0x8000)

#ifdef __APPLE__
#pragma pack(4)
#endif
struct kevent {
  uintptr_t ident;
#ifdef __NetBSD__
  uint32_t filter;
  uint32_t flags;
#else
  short filter;
  unsigned short flags;
#endif
  unsigned int fflags;
#ifdef __APPLE__
  intptr_t data;
#else
  int64_t data;
#endif
#if defined(__NetBSD__) && !defined(FDLOOP_NETBSD_10)
  intptr_t udata;
#else
  void* udata;
#endif
#if !defined(__APPLE__) && !defined(__OpenBSD__) && !defined(__NetBSD__)
  uint64_t ext[4];
#endif
};
#ifdef __APPLE__
#pragma pack()
#endif

#ifdef __NetBSD__
typedef size_t fdloop_kevent_count;
#else
typedef int fdloop_kevent_count;
#endif

extern "C" {
int kqueue(void);
int kevent(int kq, const struct kevent* changelist, fdloop_kevent_count nchanges, struct kevent* eventlist,
           fdloop_kevent_count nevents, const struct timespec* timeout);
}

#endif  // FDLOOP_TEST_KQUEUE_SYS_EVENT_H_
