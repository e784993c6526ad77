// netdb.h: as sys/socket.h here.
#ifndef FDLOOP_TEST_BSD_NETDB_H_
#define FDLOOP_TEST_BSD_NETDB_H_

#include <netinet/in.h>

#define AI_PASSIVE 1
#define AI_CANONNAME 2
#define AI_NUMERICHOST 4
#define NI_MAXHOST 1025
#define NI_MAXSERV 32
#define NI_NUMERICHOST 2
#ifdef __OpenBSD__
#define EAI_FAMILY (-6)
#define EAI_SYSTEM (-11)
#else
#define EAI_FAMILY 5
#define EAI_SYSTEM 11
#endif

struct addrinfo {
  int ai_flags;
  int ai_family;
  int ai_socktype;
  int ai_protocol;
  socklen_t ai_addrlen;
  // Addresses before names on OpenBSD, names before addresses on the others.
#ifdef __OpenBSD__
  struct sockaddr* ai_addr;
  char* ai_canonname;
#else
  char* ai_canonname;
  struct sockaddr* ai_addr;
#endif
  struct addrinfo* ai_next;
};

extern "C" {
int getaddrinfo(const char*, const char*, const struct addrinfo*, struct addrinfo**);
void freeaddrinfo(struct addrinfo*);
int getnameinfo(const struct sockaddr*, socklen_t, char*, size_t, char*, size_t, int);
const char* gai_strerror(int);
}

#endif  // FDLOOP_TEST_BSD_NETDB_H_
