// arpa/inet.h: as sys/socket.h here.
#ifndef FDLOOP_TEST_BSD_ARPA_INET_H_
#define FDLOOP_TEST_BSD_ARPA_INET_H_

#include <netinet/in.h>

extern "C" {
const char* inet_ntop(int, const void*, char*, socklen_t);
int inet_pton(int, const char*, void*);
}

#endif  // FDLOOP_TEST_BSD_ARPA_INET_H_
