// net/if.h: as sys/socket.h here.
#ifndef FDLOOP_TEST_BSD_NET_IF_H_
#define FDLOOP_TEST_BSD_NET_IF_H_

#define IF_NAMESIZE 16

extern "C" {
char* if_indextoname(unsigned int, char*);
unsigned int if_nametoindex(const char*);
}

#endif  // FDLOOP_TEST_BSD_NET_IF_H_
