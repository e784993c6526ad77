// netinet/tcp.h: as sys/socket.h here.
#ifndef FDLOOP_TEST_BSD_NETINET_TCP_H_
#define FDLOOP_TEST_BSD_NETINET_TCP_H_

#define TCP_NODELAY 1
#define TCP_MAXSEG 2
#ifdef __FreeBSD__
#define TCP_NOPUSH 4
#define TCP_KEEPIDLE 256
#define TCP_KEEPINTVL 512
#define TCP_KEEPCNT 1024
#endif

#endif  // FDLOOP_TEST_BSD_NETINET_TCP_H_
