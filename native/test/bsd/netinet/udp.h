// netinet/udp.h: as sys/socket.h here; nothing of it is needed.
#ifndef FDLOOP_TEST_BSD_NETINET_UDP_H_
#define FDLOOP_TEST_BSD_NETINET_UDP_H_
#endif  // FDLOOP_TEST_BSD_NETINET_UDP_H_
