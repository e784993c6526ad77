// sys/socket.h: what our sources need of this header, as FreeBSD, NetBSD and OpenBSD declare it. Only for
// scripts/check-bsd.js, which compiles against it without running anything. It stands before the C library's
// headers of the machine that checks, so what is not here is taken from there: the parts that all systems
// share.
#ifndef FDLOOP_TEST_BSD_SYS_SOCKET_H_
#define FDLOOP_TEST_BSD_SYS_SOCKET_H_

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef uint8_t sa_family_t;
typedef uint32_t socklen_t;

#include <sys/uio.h>

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_ROUTE 17
#define AF_LINK 18
#ifdef __FreeBSD__
#define AF_INET6 28
#else
#define AF_INET6 24
#endif

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_RDM 4
#define SOCK_SEQPACKET 5
#ifdef __OpenBSD__
#define SOCK_CLOEXEC 0x8000
#define SOCK_NONBLOCK 0x4000
#else
#define SOCK_CLOEXEC 0x10000000
#define SOCK_NONBLOCK 0x20000000
#endif

#define SOL_SOCKET 0xffff
#define SO_REUSEADDR 0x0004
#define SO_KEEPALIVE 0x0008
#define SO_BROADCAST 0x0020
#define SO_USELOOPBACK 0x0040
#define SO_LINGER 0x0080
#define SO_OOBINLINE 0x0100
#define SO_REUSEPORT 0x0200
#define SO_SNDBUF 0x1001
#define SO_RCVBUF 0x1002
#define SO_ERROR 0x1007
#define SO_TYPE 0x1008
#if defined(__FreeBSD__) || defined(__NetBSD__)
#define SO_NOSIGPIPE 0x0800
#endif

#define MSG_OOB 0x1
#define MSG_PEEK 0x2
#define MSG_TRUNC 0x10
#define MSG_CTRUNC 0x20
#define MSG_WAITALL 0x40
#define MSG_DONTWAIT 0x80
#define MSG_NOSIGNAL 0x400
#ifdef __FreeBSD__
#define MSG_CMSG_CLOEXEC 0x40000
#else
#define MSG_CMSG_CLOEXEC 0x800
#endif

#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2
#define SOMAXCONN 128
#define SCM_RIGHTS 1

struct sockaddr {
  uint8_t sa_len;
  sa_family_t sa_family;
  char sa_data[14];
};

struct sockaddr_storage {
  uint8_t ss_len;
  sa_family_t ss_family;
  char ss_pad1[6];
  int64_t ss_align;
  char ss_pad2[112];
};

struct linger {
  int l_onoff;
  int l_linger;
};

struct msghdr {
  void* msg_name;
  socklen_t msg_namelen;
  struct iovec* msg_iov;
#ifdef __OpenBSD__
  unsigned int msg_iovlen;
#else
  int msg_iovlen;
#endif
  void* msg_control;
  socklen_t msg_controllen;
  int msg_flags;
};

struct cmsghdr {
  socklen_t cmsg_len;
  int cmsg_level;
  int cmsg_type;
};

#define FDLOOP_CMSG_ALIGN(n) (((n) + sizeof(long) - 1) & ~(sizeof(long) - 1))
#define CMSG_LEN(length) (FDLOOP_CMSG_ALIGN(sizeof(struct cmsghdr)) + (length))
#define CMSG_SPACE(length) (FDLOOP_CMSG_ALIGN(sizeof(struct cmsghdr)) + FDLOOP_CMSG_ALIGN(length))

extern "C" {
int accept(int, struct sockaddr*, socklen_t*);
int accept4(int, struct sockaddr*, socklen_t*, int);
int bind(int, const struct sockaddr*, socklen_t);
int connect(int, const struct sockaddr*, socklen_t);
int getpeername(int, struct sockaddr*, socklen_t*);
int getsockname(int, struct sockaddr*, socklen_t*);
int getsockopt(int, int, int, void*, socklen_t*);
int setsockopt(int, int, int, const void*, socklen_t);
int listen(int, int);
ssize_t recv(int, void*, size_t, int);
ssize_t recvfrom(int, void*, size_t, int, struct sockaddr*, socklen_t*);
ssize_t recvmsg(int, struct msghdr*, int);
ssize_t send(int, const void*, size_t, int);
ssize_t sendto(int, const void*, size_t, int, const struct sockaddr*, socklen_t);
ssize_t sendmsg(int, const struct msghdr*, int);
int shutdown(int, int);
int socket(int, int, int);
int socketpair(int, int, int, int*);
#ifdef __FreeBSD__
struct sf_hdtr;
int sendfile(int, int, off_t, size_t, struct sf_hdtr*, off_t*, int);
#endif
}

#endif  // FDLOOP_TEST_BSD_SYS_SOCKET_H_
