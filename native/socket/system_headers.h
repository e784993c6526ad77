// system_headers.h: the socket API under whatever names this system's headers have, for the files that are
// the same everywhere (address.cc, constants.cc, control.cc). The one place below socket/ where systems are
// told apart outside leaves.
#ifndef FDLOOP_SOCKET_SYSTEM_HEADERS_H_
#define FDLOOP_SOCKET_SYSTEM_HEADERS_H_

#ifdef _WIN32
// In this order: each builds on those before it.
// clang-format off
#include "base/winsock.h"
#include <ws2tcpip.h>
#include <mswsock.h>
#include <mstcpip.h>
#include <afunix.h>
#include <iphlpapi.h>
#include <netioapi.h>
// clang-format on

// POSIX' names of the same things, where these headers do not have them.
#ifndef CMSG_LEN
#define cmsghdr _WSACMSGHDR
#define CMSG_LEN WSA_CMSG_LEN
#define CMSG_SPACE WSA_CMSG_SPACE
#endif
#define SHUT_RD SD_RECEIVE
#define SHUT_WR SD_SEND
#define SHUT_RDWR SD_BOTH

// Of Windows 10, and unknown to mingw's headers.
#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE 3
#endif
#ifndef TCP_KEEPCNT
#define TCP_KEEPCNT 16
#endif
#ifndef TCP_KEEPINTVL
#define TCP_KEEPINTVL 17
#endif
#else
// Apple's headers have IPv6's names for ancillary data (IPV6_RECVPKTINFO, ...) for those who ask only.
#define __APPLE_USE_RFC_3542
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#endif

#endif  // FDLOOP_SOCKET_SYSTEM_HEADERS_H_
