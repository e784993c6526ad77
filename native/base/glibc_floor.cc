// glibc_floor.cc: keeps the addon loadable on older systems than the one it is built on: glibc 2.28, and the
// libstdc++ of GCC 8. Newer headers give a few functions a new version or a new name, although the old ones
// are still there and do the same. Each of them is defined here once more, hidden, so that all other code of
// the addon ends up at the old one. `npm run check:addon` fails when another such name slips in.
#include <stdlib.h>

#if defined(__GLIBC__)
#if defined(__x86_64__)
#define FDLOOP_FIRST_GLIBC "GLIBC_2.2.5"
#define FDLOOP_STAT_VERSION 1
#elif defined(__aarch64__)
#define FDLOOP_FIRST_GLIBC "GLIBC_2.17"
#define FDLOOP_STAT_VERSION 0
#elif defined(__arm__)
#define FDLOOP_FIRST_GLIBC "GLIBC_2.4"
#define FDLOOP_STAT_VERSION 3
#endif
#endif

// A sanitizer has functions of its own under these names, which must not be passed by.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#undef FDLOOP_FIRST_GLIBC
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef FDLOOP_FIRST_GLIBC
#endif
#endif

#ifdef FDLOOP_FIRST_GLIBC
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>

// The assembler's names are used throughout: the headers have declared these functions already, with other
// attributes than we need.
#define FDLOOP_HIDDEN __attribute__((visibility("hidden"), used))
#define FDLOOP_OLD(name) __asm__(".symver old_" #name "," #name "@" FDLOOP_FIRST_GLIBC)

extern "C" {

// Versions of 2.32 to 2.34, when the thread and dl libraries became part of libc.
FDLOOP_OLD(pthread_create);
FDLOOP_OLD(pthread_detach);
FDLOOP_OLD(pthread_join);
FDLOOP_OLD(pthread_sigmask);
FDLOOP_OLD(dlopen);
FDLOOP_OLD(dladdr);

int old_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
int old_pthread_detach(pthread_t);
int old_pthread_join(pthread_t, void**);
int old_pthread_sigmask(int, const sigset_t*, sigset_t*);
void* old_dlopen(const char*, int);
int old_dladdr(const void*, Dl_info*);

FDLOOP_HIDDEN int NewPthreadCreate(pthread_t*, const pthread_attr_t*, void* (*)(void*),
                                   void*) __asm__("pthread_create");
FDLOOP_HIDDEN int NewPthreadDetach(pthread_t) __asm__("pthread_detach");
FDLOOP_HIDDEN int NewPthreadJoin(pthread_t, void**) __asm__("pthread_join");
FDLOOP_HIDDEN int NewPthreadSigmask(int, const sigset_t*, sigset_t*) __asm__("pthread_sigmask");
FDLOOP_HIDDEN void* NewDlopen(const char*, int) __asm__("dlopen");
FDLOOP_HIDDEN int NewDladdr(const void*, Dl_info*) __asm__("dladdr");

int NewPthreadCreate(pthread_t* thread, const pthread_attr_t* attributes, void* (*main)(void*),
                     void* argument) {
  return old_pthread_create(thread, attributes, main, argument);
}
int NewPthreadDetach(pthread_t thread) { return old_pthread_detach(thread); }
int NewPthreadJoin(pthread_t thread, void** result) { return old_pthread_join(thread, result); }
int NewPthreadSigmask(int how, const sigset_t* set, sigset_t* before) {
  return old_pthread_sigmask(how, set, before);
}
void* NewDlopen(const char* file, int mode) { return old_dlopen(file, mode); }
int NewDladdr(const void* address, Dl_info* info) { return old_dladdr(address, info); }

// Functions of 2.33; before, headers made these calls of them.
int __fxstat(int version, int fd, void* status);
int __fxstat64(int version, int fd, void* status);

FDLOOP_HIDDEN int NewFstat(int, void*) __asm__("fstat");
FDLOOP_HIDDEN int NewFstat64(int, void*) __asm__("fstat64");

int NewFstat(int fd, void* status) { return __fxstat(FDLOOP_STAT_VERSION, fd, status); }
int NewFstat64(int fd, void* status) { return __fxstat64(FDLOOP_STAT_VERSION, fd, status); }

// Of 2.32: lets libstdc++ count references without atomic operations. We have threads.
extern char NewSingleThreaded __asm__("__libc_single_threaded");
FDLOOP_HIDDEN char NewSingleThreaded = 0;

// Of libstdc++ 3.4.29 and 3.4.26: a request for too many elements, and what std::make_shared asks of a
// stranger's type where there is no type information, as here.
FDLOOP_HIDDEN void NewBadArrayNewLength() __asm__("_ZSt28__throw_bad_array_new_lengthv");
void NewBadArrayNewLength() { abort(); }  // Nothing here catches exceptions: the end is the same.

FDLOOP_HIDDEN bool NewIsMakeSharedTag(const void*) __asm__("_ZNSt19_Sp_make_shared_tag5_S_eqERKSt9type_info");
bool NewIsMakeSharedTag(const void*) { return false; }

}  // extern "C"
#endif  // FDLOOP_FIRST_GLIBC
