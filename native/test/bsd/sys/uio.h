// sys/uio.h: as sys/socket.h here.
#ifndef FDLOOP_TEST_BSD_SYS_UIO_H_
#define FDLOOP_TEST_BSD_SYS_UIO_H_

#include <stddef.h>

// The C library behind these headers has the same structure, and says so.
#ifndef __iovec_defined
#define __iovec_defined 1
struct iovec {
  void* iov_base;
  size_t iov_len;
};
#endif

#endif  // FDLOOP_TEST_BSD_SYS_UIO_H_
